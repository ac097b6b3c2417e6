//! Rate limits: one by client address, before credentials are checked, so that trying tokens is limited, and one by caller.
//!
//! The crate `governor` implements GCRA: a client has a burst, and regains one request per period. Responses have the
//! remaining quota in the two headers of draft-ietf-httpapi-ratelimit-headers-10, and the time to wait.
//!
//! Memory: a client is stored until its burst is full again (seconds). Only clients with a TCP connection to this server or to a
//! trusted proxy, and callers with a valid token, reach this code, so there are at most a few thousand entries of about 50 bytes.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use api::problem::{Problem, ProblemType};
use governor::{
    RateLimiter as Governor,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::{
    config::{HttpConfig, Rate},
    http::{connections::network, request_context::RequestContext},
    telemetry::metrics::count_rate_limited,
};

pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(super) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The interval at which clients with a full burst are removed.
const SWEEP: Duration = Duration::from_secs(5);

/// The addresses above which those that may try again are removed.
const MAX_REFUSED: usize = 1_000;

/// The limits.
pub(in crate::http) struct RateLimits {
    by_address: Option<RateLimit<IpAddr>>,
    /// The addresses that tried too many tokens, and until when they may not try another one.
    refused: Mutex<HashMap<IpAddr, Instant>>,
    by_caller: Option<RateLimit<Arc<str>>>,
}

/// Counts the requests of every client.
struct RateLimit<K: Hash + Eq + Clone> {
    name: &'static str,
    governor: Governor<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    period: Duration,
    burst: NonZeroU32,
    policy: String,
    swept: Mutex<Instant>,
}

/// The quotas of a client after a request, as the values of the two headers, and when it may send the next one.
#[derive(Debug, Default)]
pub(in crate::http) struct Quotas {
    remaining: String,
    policies: String,
    /// The seconds to wait, if the request is refused.
    retry_after: Option<u32>,
}

impl RateLimits {
    pub(in crate::http) fn from_config(config: &HttpConfig) -> Self {
        let twice = |rate: &Rate| rate.count.saturating_add(rate.count.get());
        let by_address = config.rate_limit.map(|rate| {
            RateLimit::new("address", rate.period, config.rate_limit_burst.unwrap_or_else(|| twice(&rate)))
        });
        let by_caller = config.caller_rate_limit.map(|rate| RateLimit::new("caller", rate.period, twice(&rate)));
        Self { by_address, refused: Mutex::default(), by_caller }
    }

    /// Counts a request of an address, if the contract declares a limit for its operation. Otherwise, refuses an address that has
    /// tried too many tokens: a valid token must not be accepted among them.
    ///
    /// # Errors
    /// 429.
    pub(in crate::http) fn check_address(&self, context: &RequestContext, quotas: &mut Quotas) -> Result<(), Problem> {
        let client = client(context);
        check(self.by_address.as_ref(), context, client, quotas)?;
        if let (Some(limit), Some(client)) = (&self.by_address, client.filter(|_| counts_failures_only(context))) {
            let until = self.refused.lock().unwrap_or_else(PoisonError::into_inner).get(&client).copied();
            if let Some(wait) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
                quotas.retry_after = Some(whole_seconds(wait));
                quotas.add(limit, 0);
                count_rate_limited(limit.name);
            }
        }
        quotas.refusal()
    }

    /// Counts a request that failed to authenticate, if it was not counted before. Returns the problem, or 429 in its place.
    pub(in crate::http) fn count_failure(
        &self,
        context: &RequestContext,
        problem: Problem,
        quotas: &mut Quotas,
    ) -> Problem {
        let is_counted = problem.status() == StatusCode::UNAUTHORIZED && counts_failures_only(context);
        let (Some(limit), Some(client)) = (&self.by_address, client(context).filter(|_| is_counted)) else {
            return problem;
        };
        if let Some(wait) = limit.count(&client, NonZeroU32::MIN, quotas) {
            let (now, mut refused) = (Instant::now(), self.refused.lock().unwrap_or_else(PoisonError::into_inner));
            if refused.len() >= MAX_REFUSED {
                refused.retain(|_, until| *until > now);
            }
            refused.insert(client, now + wait);
        }
        quotas.refusal().err().unwrap_or(problem)
    }

    /// The same for the caller, if it is known.
    ///
    /// # Errors
    /// 429.
    pub(in crate::http) fn check_caller(&self, context: &RequestContext, quotas: &mut Quotas) -> Result<(), Problem> {
        check(self.by_caller.as_ref(), context, context.caller.get().cloned(), quotas)
    }
}

fn client(context: &RequestContext) -> Option<IpAddr> {
    context.origin.map(|origin| network(origin.client))
}

/// Whether an operation needs credentials, but valid requests are not counted: those of monitoring systems.
fn counts_failures_only(context: &RequestContext) -> bool {
    context.operation.as_ref().is_some_and(|operation| !(operation.limited || operation.security.is_empty()))
}

fn check<K: Hash + Eq + Clone>(
    limit: Option<&RateLimit<K>>,
    context: &RequestContext,
    client: Option<K>,
    quotas: &mut Quotas,
) -> Result<(), Problem> {
    let operation = context.operation.as_ref().filter(|operation| operation.limited);
    if let (Some(limit), Some(operation), Some(client)) = (limit, operation, client) {
        limit.count(&client, operation.rate_cost, quotas);
    }
    quotas.refusal()
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    fn new(name: &'static str, period: Duration, burst: NonZeroU32) -> Self {
        let quota = governor::Quota::with_period(period).unwrap_or_else(|| governor::Quota::per_second(burst));
        let window = whole_seconds(period * burst.get());
        Self {
            name,
            governor: Governor::dashmap(quota.allow_burst(burst)).with_middleware(),
            clock: DefaultClock::default(),
            period,
            burst,
            policy: format!("\"{name}\";q={burst};w={window}"),
            swept: Mutex::new(Instant::now()),
        }
    }

    /// Returns the time to wait, if the request is refused.
    fn count(&self, client: &K, cost: NonZeroU32, quotas: &mut Quotas) -> Option<Duration> {
        self.sweep();
        let mut wait = None;
        // A request that costs more than the burst would never be accepted.
        let remaining = match self.governor.check_key_n(client, cost.min(self.burst)) {
            Ok(Ok(state)) => state.remaining_burst_capacity(),
            Ok(Err(refusal)) => {
                let time = refusal.wait_time_from(self.clock.now());
                quotas.retry_after = Some(whole_seconds(time));
                wait = Some(time);
                count_rate_limited(self.name);
                0
            }
            Err(_) => 0,
        };
        quotas.add(self, remaining);
        wait
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

impl Quotas {
    fn refusal(&self) -> Result<(), Problem> {
        let Some(seconds) = self.retry_after else { return Ok(()) };
        let detail = format!("Rate limit exceeded. Retry after {seconds} s.");
        Err(Problem::new(ProblemType::TooManyRequests, detail).with_retry_after(seconds))
    }

    /// Adds a quota, and the seconds until it is full again. Without the machinery of format strings, since every response has
    /// these headers.
    fn add<K: Hash + Eq + Clone>(&mut self, limit: &RateLimit<K>, remaining: u32) {
        let used = limit.burst.get().saturating_sub(remaining);
        let reset = if used == 0 { 0 } else { whole_seconds(limit.period * used) };
        let separator = if self.policies.is_empty() { "" } else { ", " };
        let mut digits = [itoa::Buffer::new(), itoa::Buffer::new()];
        let [first, second] = &mut digits;
        for part in [separator, "\"", limit.name, "\";r=", first.format(remaining), ";t=", second.format(reset)] {
            self.remaining.push_str(part);
        }
        self.policies.push_str(separator);
        self.policies.push_str(&limit.policy);
    }

    /// Adds the headers, if there is a limit.
    pub(in crate::http) fn add_headers(self, headers: &mut HeaderMap) {
        for (name, value) in [(RATE_LIMIT, self.remaining), (RATE_LIMIT_POLICY, self.policies)] {
            // Digits and quotes are valid in a header.
            if let Some(value) = HeaderValue::try_from(value).ok().filter(|value| !value.is_empty()) {
                headers.insert(name, value);
            }
        }
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

    fn limit(period: Duration, burst: u32) -> RateLimit<IpAddr> {
        RateLimit::new("address", period, burst.try_into().unwrap())
    }

    fn count(limit: &RateLimit<IpAddr>, last: u8, cost: u32) -> Quotas {
        let mut quotas = Quotas::default();
        limit.count(&IpAddr::from([192, 0, 2, last]), cost.try_into().unwrap(), &mut quotas);
        quotas
    }

    #[test]
    fn a_request_over_the_burst_is_refused_until_the_period_ends() {
        let limit = limit(Duration::from_secs(90), 3);
        let remaining = |quotas: Quotas| (quotas.remaining, quotas.retry_after);
        assert_eq!(remaining(count(&limit, 1, 1)), ("\"address\";r=2;t=90".to_owned(), None));
        // Another client has a quota of its own. One request may count as several, but not as more than the burst.
        assert_eq!(remaining(count(&limit, 2, 9)), ("\"address\";r=0;t=270".to_owned(), None));
        assert_eq!(remaining(count(&limit, 1, 2)), ("\"address\";r=0;t=270".to_owned(), None));
        assert_eq!(count(&limit, 1, 1).retry_after, Some(90));
        assert!(count(&limit, 1, 1).refusal().is_err());
    }

    #[test]
    fn the_headers_have_every_quota() {
        let (address, caller) = (limit(Duration::from_millis(2), 1_000), limit(Duration::from_secs(1), 10));
        let (mut headers, mut quotas) = (HeaderMap::new(), Quotas::default());
        quotas.add(&address, 400);
        quotas.add(&caller, 10);
        quotas.add_headers(&mut headers);
        assert_eq!(headers["ratelimit"], "\"address\";r=400;t=2, \"address\";r=10;t=0");
        assert_eq!(headers["ratelimit-policy"], "\"address\";q=1000;w=2, \"address\";q=10;w=10");
        Quotas::default().add_headers(&mut headers);
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn clients_with_a_full_burst_are_removed() {
        let limit = limit(Duration::from_millis(1), 1);
        for client in 0..10_000_u32 {
            limit.count(&IpAddr::V4(client.into()), NonZeroU32::MIN, &mut Quotas::default());
        }
        std::thread::sleep(Duration::from_millis(20));
        *limit.swept.lock().unwrap() -= SWEEP;
        count(&limit, 1, 1);
        assert!(limit.governor.len() < 10, "{}", limit.governor.len());
    }
}
