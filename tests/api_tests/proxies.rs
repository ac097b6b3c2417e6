//! Clients behind a trusted proxy. The tests' client is the proxy.

use reqwest::Method;

use crate::harness::{Request, matrix};

fn from<'a>(app: &'a crate::harness::App, client: &str) -> Request<'a> {
    app.request(Method::GET, "/users").header("x-forwarded-for", client)
}

matrix! {
    async fn clients_of_a_proxy_have_quotas_of_their_own(app: App)
        using ["--rate-limit", "1/h", "--rate-limit-burst", "1", "--trusted-proxies", "127.0.0.0/8"] {
        for (client, status) in [
            ("192.0.2.1", 200),
            ("192.0.2.1", 429),
            ("192.0.2.2", 200),
            // What the client itself sent is on the left.
            ("192.0.2.3, 192.0.2.1", 429),
            ("192.0.2.3, 192.0.2.1, 127.0.0.7", 429),
            // An IPv6 network is one client.
            ("2001:db8::1", 200),
            ("2001:db8::2", 429),
            ("[2001:db8:0:1::1]:4711", 200),
            // Whatever is no address is the proxy.
            ("192.0.2.4, unknown", 200),
            ("192.0.2.5, _hidden", 429),
        ] {
            assert_eq!(from(&app, client).send().await.status, status, "{client}");
        }
        let forwarded = from(&app, "192.0.2.1").header("forwarded", "for=192.0.2.9");
        assert_eq!(forwarded.send().await.status, 429, "the other header is ignored");
    }

    async fn the_header_can_be_that_of_rfc_7239(app: App)
        using ["--rate-limit", "1/h", "--rate-limit-burst", "1", "--trusted-proxies", "127.0.0.1",
               "--forwarded-header", "forwarded"] {
        for (forwarded, status) in [
            ("for=192.0.2.1", 200),
            ("for=192.0.2.1;proto=https", 429),
            ("for=\"[2001:db8::1]:4711\";proto=https", 200),
            ("for=192.0.2.3, for=\"[2001:db8::2]\"", 429),
        ] {
            let request = from(&app, "192.0.2.9").header("forwarded", forwarded);
            assert_eq!(request.send().await.status, status, "{forwarded}");
        }
    }

    async fn other_clients_cannot_choose_their_address(app: App)
        using ["--rate-limit", "1/h", "--rate-limit-burst", "1", "--trusted-proxies", "10.0.0.0/8"] {
        assert_eq!(from(&app, "192.0.2.1").header("x-forwarded-proto", "https").send().await.status, 200);
        let refused = from(&app, "192.0.2.2").header("x-forwarded-proto", "https").send().await;
        assert_eq!((refused.status, refused.header("strict-transport-security")), (429, None));
    }

    async fn the_proxy_reports_whether_the_client_has_tls(app: App) using ["--trusted-proxies", "127.0.0.1"] {
        for (scheme, policy) in [("https", Some("max-age=31536000")), ("http", None)] {
            let response = from(&app, "192.0.2.1").header("x-forwarded-proto", scheme).send().await;
            assert_eq!((response.status, response.header("strict-transport-security")), (200, policy));
        }
    }
}
