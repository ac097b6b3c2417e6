//! Rate limit by client address.
//!
//! The crate `governor` implements GCRA: a client has a burst, and regains one request per period. Responses have the
//! remaining quota in the two headers of draft-ietf-httpapi-ratelimit-headers-10, and the time to wait.
//!
//! Memory: a client is stored until its burst is full again (seconds), and only clients with a TCP connection reach this
//! code, so there are at most a few thousand entries of about 50 bytes.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::Mutex,
    time::{Duration, Instant},
};

use api::problem::{Problem, ProblemType};
use governor::{
    RateLimiter as Governor,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    config::HttpConfig,
    http::{connections::network, request_context::RequestContext},
};

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The interval at which clients with a full burst are removed.
const SWEEP: Duration = Duration::from_secs(5);

/// Counts the requests of every client.
pub(in crate::http) struct RateLimit {
    governor: Governor<IpAddr, DashMapStateStore<IpAddr>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    period: Duration,
    burst: NonZeroU32,
    policy: HeaderValue,
    swept: Mutex<Instant>,
}

/// The quota of a client after a request.
pub(in crate::http) struct Quota<'a> {
    limit: &'a RateLimit,
    /// The number of requests that are allowed now.
    remaining: u32,
    /// The seconds to wait, if the request is refused.
    retry_after: Option<u32>,
}

impl RateLimit {
    /// Returns the configured rate limit, if there is one.
    pub(in crate::http) fn from_config(config: &HttpConfig) -> Option<Self> {
        let rate = config.rate_limit?;
        let burst = config.rate_limit_burst.unwrap_or_else(|| rate.count.saturating_add(rate.count.get()));
        Some(Self::new(rate.period, burst))
    }

    fn new(period: Duration, burst: NonZeroU32) -> Self {
        let quota = governor::Quota::with_period(period).unwrap_or_else(|| governor::Quota::per_second(burst));
        let window = whole_seconds(period * burst.get());
        let policy = format!("\"address\";q={burst};w={window}");
        Self {
            governor: Governor::dashmap(quota.allow_burst(burst)).with_middleware(),
            clock: DefaultClock::default(),
            period,
            burst,
            // Digits and quotes are valid in a header.
            policy: HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("\"address\"")),
            swept: Mutex::new(Instant::now()),
        }
    }

    /// Counts a request, if the contract declares a limit for its operation.
    pub(in crate::http) fn check(&self, context: &RequestContext) -> Option<Quota<'_>> {
        let peer = context.peer?;
        context.operation.as_ref()?.limited.then(|| self.count(peer.ip()))
    }

    fn count(&self, client: IpAddr) -> Quota<'_> {
        self.sweep();
        let (remaining, retry_after) = match self.governor.check_key(&network(client)) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refusal) => (0, Some(whole_seconds(refusal.wait_time_from(self.clock.now())))),
        };
        Quota { limit: self, remaining, retry_after }
    }

    fn sweep(&self) {
        // If the lock is taken, another request sweeps.
        let Ok(mut swept) = self.swept.try_lock() else { return };
        if swept.elapsed() >= SWEEP {
            *swept = Instant::now();
            drop(swept);
            self.governor.retain_recent();
            self.governor.shrink_to_fit();
        }
    }
}

impl Quota<'_> {
    /// Returns the problem if the quota is exceeded.
    pub(in crate::http) fn refusal(&self) -> Option<Problem> {
        let seconds = self.retry_after?;
        let detail = format!("Rate limit exceeded. Retry after {seconds} s.");
        Some(Problem::new(ProblemType::TooManyRequests, detail).with_retry_after(seconds))
    }

    /// Adds the quota, and the seconds until it is full again.
    pub(in crate::http) fn add_headers(&self, headers: &mut HeaderMap) {
        let used = self.limit.burst.get().saturating_sub(self.remaining);
        let reset = if used == 0 { 0 } else { whole_seconds(self.limit.period * used) };
        // Without the machinery of format strings, since every response has this header.
        let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
        let [remaining, reset] = {
            let [first, second] = &mut digits;
            [first.format(self.remaining), second.format(reset)]
        };
        if let Ok(value) = HeaderValue::try_from(["\"address\";r=", remaining, ";t=", reset].concat()) {
            headers.insert(RATE_LIMIT, value);
        }
        headers.insert(RATE_LIMIT_POLICY, self.limit.policy.clone());
    }
}

/// Rounds up to seconds, at least one, so that a client that waits this long is not refused again.
fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(period: Duration, burst: u32) -> RateLimit {
        RateLimit::new(period, burst.try_into().unwrap())
    }

    #[test]
    fn a_request_over_the_burst_is_refused_until_the_period_ends() {
        let limit = limit(Duration::from_secs(90), 3);
        let client = IpAddr::from([192, 0, 2, 1]);
        let count = || (limit.count(client).remaining, limit.count(IpAddr::from([192, 0, 2, 2])).retry_after);
        // Another client has a quota of its own.
        assert_eq!([count(), count(), count()], [(2, None), (1, None), (0, None)]);
        assert_eq!(limit.count(client).retry_after, Some(90));
    }

    #[test]
    fn the_headers_have_the_remaining_quota() {
        let limit = limit(Duration::from_millis(2), 1_000);
        let mut headers = HeaderMap::new();
        Quota { limit: &limit, remaining: 400, retry_after: None }.add_headers(&mut headers);
        assert_eq!(headers["ratelimit"], "\"address\";r=400;t=2");
        assert_eq!(headers["ratelimit-policy"], "\"address\";q=1000;w=2");
    }

    #[test]
    fn clients_with_a_full_burst_are_removed() {
        let limit = limit(Duration::from_millis(1), 1);
        for client in 0..10_000_u32 {
            limit.count(IpAddr::V4(client.into()));
        }
        std::thread::sleep(Duration::from_millis(20));
        *limit.swept.lock().unwrap() -= SWEEP;
        limit.count(IpAddr::from([192, 0, 2, 1]));
        assert!(limit.governor.len() < 10, "{}", limit.governor.len());
    }
}
