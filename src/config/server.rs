//! Settings of sockets and connections.

use std::{net::SocketAddr, time::Duration};

use super::parse::{address, duration, duration_or_zero, integer, optional, settings};

settings! {
    "Server"
    /// Sockets and connections.
    ServerArgs => ServerConfig {
        /// Address to listen on (port 0 picks a free port).
        listen_addr: SocketAddr = address, "127.0.0.1:8080", "IP:PORT";

        /// Second address for operators: `/metrics` and `/health/ready` are served only there. Empty: none.
        admin_addr: Option<SocketAddr> = optional(address), "", "IP:PORT";

        /// Maximum time from accepting a connection to the end of its first request head.
        header_timeout: Duration = duration, "10s", "DURATION";

        /// Maximum time that a connection waits for its next request.
        idle_timeout: Duration = duration, "75s", "DURATION";

        /// Maximum number of connections. A further one takes the place of the one that is idle the longest, and waits if none
        /// is idle.
        max_connections: usize = integer(1, 1_000_000), "10000", "N";

        /// Maximum number of connections of one client: an IPv4 address, or the /64 network of an IPv6 address. Further ones
        /// are closed.
        max_connections_per_client: usize = integer(1, 1_000_000), "1000", "N";

        /// Time from SIGTERM until the server stops accepting connections. It reports that it is not ready during that
        /// time, so that load balancers can react.
        shutdown_delay: Duration = duration_or_zero, "0s", "DURATION";

        /// Maximum time after the delay for requests in flight to complete.
        shutdown_timeout: Duration = duration, "20s", "DURATION";
    }
}
