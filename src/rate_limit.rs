//! How often one client address may call.
//!
//! GCRA, by the `governor` crate: a client has a burst, and wins one request back in every period. The answer tells what
//! is left, in the two fields of draft-ietf-httpapi-ratelimit-headers-10, and how long to wait.
//!
//! Memory: a client is kept until its burst is full again (seconds), and only clients with a real TCP connection get
//! here, so at most a few thousand entries of some 50 bytes stand at a time.

use std::{
    net::IpAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

use governor::{
    Quota, RateLimiter as Governor,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::RateLimit;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How often clients that are as good as new are forgotten.
const SWEEP: Duration = Duration::from_secs(5);

/// Counts the requests of every client.
pub struct RateLimiter {
    governor: Governor<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    limit: RateLimit,
    policy: HeaderValue,
    swept: Mutex<Instant>,
}

/// What is left for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotum {
    /// Requests that are allowed now.
    pub remaining: u32,
    /// Whole seconds to wait, if the request is refused.
    pub retry_after: Option<u32>,
}

impl RateLimiter {
    /// A limiter that has seen nobody.
    pub fn new(limit: RateLimit) -> Self {
        let quota = Quota::with_period(limit.period).unwrap_or_else(|| Quota::per_second(limit.burst));
        let window = whole_seconds(limit.period * limit.burst.get());
        let policy = format!("\"address\";q={};w={window}", limit.burst);
        Self {
            governor: Governor::dashmap(quota.allow_burst(limit.burst)).with_middleware(),
            clock: DefaultClock::default(),
            limit,
            // Digits and quotes: a header can carry them.
            policy: HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("\"address\"")),
            swept: Mutex::new(Instant::now()),
        }
    }

    /// Counts one request of this client.
    pub fn check(&self, client: IpAddr) -> Quotum {
        self.sweep();
        match self.governor.check_key(&network(client)) {
            Ok(state) => Quotum { remaining: state.remaining_burst_capacity(), retry_after: None },
            Err(refusal) => {
                let wait = refusal.wait_time_from(self.clock.now());
                Quotum { remaining: 0, retry_after: Some(whole_seconds(wait)) }
            }
        }
    }

    /// Tells the client what is left, and in how many seconds it will be whole again.
    pub fn write_headers(&self, quotum: Quotum, headers: &mut HeaderMap) {
        let spent = self.limit.burst.get().saturating_sub(quotum.remaining);
        let reset = if spent == 0 { 0 } else { whole_seconds(self.limit.period * spent) };
        if let Ok(value) = HeaderValue::try_from(format!("\"address\";r={};t={reset}", quotum.remaining)) {
            headers.insert(RATE_LIMIT, value);
        }
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
    }

    fn sweep(&self) {
        // Whoever finds the lock taken leaves the sweep to the one who holds it.
        let Ok(mut swept) = self.swept.try_lock() else { return };
        if swept.elapsed() >= SWEEP {
            *swept = Instant::now();
            drop(swept);
            self.governor.retain_recent();
            self.governor.shrink_to_fit();
        }
    }
}

/// Who counts as one client: an IPv4 address, or the /64 of an IPv6 address, which is what one household or host is given.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        address => address,
    }
}

/// Rounded up, and at least one: a client that waits that long is let in.
fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(period: Duration, burst: u32) -> RateLimiter {
        RateLimiter::new(RateLimit { period, burst: burst.try_into().unwrap() })
    }

    #[test]
    fn the_burst_is_allowed_and_then_refused_until_the_period_is_over() {
        let limiter = limiter(Duration::from_secs(90), 3);
        let client = IpAddr::from([192, 0, 2, 1]);
        let left: Vec<_> = (0..3).map(|_| limiter.check(client)).collect();
        assert!(left.iter().all(|quotum| quotum.retry_after.is_none()));
        assert_eq!(left.iter().map(|quotum| quotum.remaining).collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!(limiter.check(client), Quotum { remaining: 0, retry_after: Some(90) });
        // Another client is not touched by that.
        assert_eq!(limiter.check(IpAddr::from([192, 0, 2, 2])).retry_after, None);
    }

    #[test]
    fn the_headers_say_what_is_left() {
        let limiter = limiter(Duration::from_millis(2), 1_000);
        let mut headers = HeaderMap::new();
        limiter.write_headers(Quotum { remaining: 400, retry_after: None }, &mut headers);
        assert_eq!(headers["ratelimit"], "\"address\";r=400;t=2");
        assert_eq!(headers["ratelimit-policy"], "\"address\";q=1000;w=2");
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(network(one), network("2001:db8::ffff:1:2:3".parse().unwrap()));
        assert_ne!(network(one), network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), IpAddr::from([192, 0, 2, 1]));
    }

    #[test]
    fn clients_are_forgotten_once_they_are_as_good_as_new() {
        let limiter = limiter(Duration::from_millis(1), 1);
        for client in 0..10_000_u32 {
            limiter.check(IpAddr::V4(client.into()));
        }
        std::thread::sleep(Duration::from_millis(20));
        *limiter.swept.lock().unwrap() -= SWEEP;
        limiter.check(IpAddr::from([192, 0, 2, 1]));
        assert!(limiter.governor.len() < 10, "{}", limiter.governor.len());
    }
}
