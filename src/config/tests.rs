use std::{collections::HashMap, ffi::OsStr, num::NonZeroU32, time::Duration};

use clap::{CommandFactory, Parser};
use sqlx::ConnectOptions as _;

use super::*;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

fn validate(arguments: &[&str]) -> Result<Config, String> {
    let arguments =
        Arguments::try_parse_from([&["web_server"], arguments].concat()).map_err(|error| error.to_string())?;
    Config::validate(&arguments.settings).map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_valid() {
    let config = validate(&[]).unwrap();
    assert_eq!(config.server.listen_addr.port(), 8080);
    assert_eq!(config.http.cors_allowed_origins, Cors::Off);
    let DatabaseTarget::Sqlite(path) = config.database.database_url else { panic!("not SQLite") };
    assert_eq!(path, std::path::Path::new(DEFAULT_SQLITE_FOLDER).join("web_server.db"));
}

#[test]
fn an_invalid_value_is_one_line_with_what_is_expected() {
    for (flag, value, variable, expected) in [
        ("--listen-addr", "localhost", "LISTEN_ADDR", "127.0.0.1:8080"),
        ("--request-timeout", "1ms", "REQUEST_TIMEOUT", "from 100ms"),
        ("--request-timeout", "soon", "REQUEST_TIMEOUT", "10s"),
        ("--max-connections", "0", "MAX_CONNECTIONS", "from 1 to"),
        ("--cors-allowed-origins", "https://a.example/", "CORS_ALLOWED_ORIGINS", "https://app.example.com"),
        ("--cors-allowed-origins", "https://*.example.org", "CORS_ALLOWED_ORIGINS", "without patterns"),
        ("--cors-allowed-origins", "https://%2a.example.org", "CORS_ALLOWED_ORIGINS", "without patterns"),
        ("--cors-allowed-origins", "https://a.example:99999", "CORS_ALLOWED_ORIGINS", "https://app.example.com"),
        ("--cors-allowed-origins", "https://u@a.example", "CORS_ALLOWED_ORIGINS", "https://app.example.com"),
        ("--cors-allowed-origins", "null", "CORS_ALLOWED_ORIGINS", "https://app.example.com"),
        ("--cors-allowed-origins", "https://.example.org", "CORS_ALLOWED_ORIGINS", "without patterns"),
        ("--cors-allowed-origins", "https://a..example", "CORS_ALLOWED_ORIGINS", "https://app.example.com"),
        ("--cors-allowed-origins", "https://a.\texample", "CORS_ALLOWED_ORIGINS", "https://app.example.com"),
        ("--cors-allowed-origins", "*,https://a.example", "CORS_ALLOWED_ORIGINS", "or *"),
        ("--allowed-hosts", ".example.org", "ALLOWED_HOSTS", "without patterns"),
        ("--allowed-hosts", "*.example.org", "ALLOWED_HOSTS", "without patterns"),
        ("--allowed-hosts", "a..example", "ALLOWED_HOSTS", "api.example.com"),
        ("--allowed-hosts", ".", "ALLOWED_HOSTS", "api.example.com"),
        ("--allowed-hosts", "a.example:80", "ALLOWED_HOSTS", "without a port"),
        ("--admin-addr", "9090", "ADMIN_ADDR", "127.0.0.1:8080"),
        ("--trusted-proxies", "10.0.0.0/33", "TRUSTED_PROXIES", "10.0.0.0/8"),
        ("--trusted-proxies", "10.0.0.1,nginx", "TRUSTED_PROXIES", "127.0.0.1"),
        ("--trusted-proxies", "::ffff:10.0.0.0/104", "TRUSTED_PROXIES", "10.0.0.0/8"),
        ("--forwarded-header", "x-real-ip", "FORWARDED_HEADER", "x-forwarded-for"),
        ("--proxy-protocol=v2", "", "PROXY_PROTOCOL", "true or false"),
        ("--proxy-protocol", "", "PROXY_PROTOCOL", "it needs TRUSTED_PROXIES"),
        ("--public-url", "example.org/api", "PUBLIC_URL", "https://example.org/api/v1"),
        ("--public-url", "ftp://example.org", "PUBLIC_URL", "http or https"),
        ("--public-url", "https://", "PUBLIC_URL", "http or https"),
        ("--public-url", "https://example.org/?a=b", "PUBLIC_URL", "without query"),
        ("--public-url", "https://example.org/#a", "PUBLIC_URL", "fragment"),
        ("--public-url", "https://u:secret@example.org", "PUBLIC_URL", "no user information"),
        ("--rate-limit", "0/s", "RATE_LIMIT", "500/s"),
        ("--rate-limit", "many", "RATE_LIMIT", "off"),
        ("--rate-limit-burst", "0", "RATE_LIMIT_BURST", "from 1"),
        ("--otel-exporter-otlp-endpoint", "localhost:4318", "OTEL_EXPORTER_OTLP_ENDPOINT", "http://"),
        ("--otel-exporter-otlp-traces-endpoint", "ftp://localhost", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"),
        ("--otel-exporter-otlp-protocol", "http/json", "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf or grpc"),
        ("--otel-exporter-otlp-traces-protocol", "GRPC", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf or grpc"),
        ("--otel-exporter-otlp-compression", "zstd", "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip or none"),
        ("--otel-traces-exporter", "zipkin", "OTEL_TRACES_EXPORTER", "otlp or none"),
        ("--otel-traces-sampler", "jaeger_remote", "OTEL_TRACES_SAMPLER", "parentbased_"),
        ("--otel-traces-sampler-arg", "10%", "OTEL_TRACES_SAMPLER_ARG", "from 0 to 1"),
        ("--otel-propagators", "b3", "OTEL_PROPAGATORS", "tracecontext"),
        ("--otel-sdk-disabled=maybe", "", "OTEL_SDK_DISABLED", "true or false"),
        ("--database-url-file", "/no/such/file", "DATABASE_URL_FILE", "cannot be read"),
        ("--log-format", "xml", "LOG_FORMAT", "pretty or json"),
        ("--log", "web=loud", "RUST_LOG", "debug"),
        ("--log", "loud", "RUST_LOG", "debug"),
        ("--database-url", "sqlite://a.db?mode=ro", "DATABASE_URL", "`mode=rwc`"),
        ("--database-url", "postgres://u@h/a?sslmod=require", "DATABASE_URL", "\"sslmod\""),
        ("--database-url", "postgres://u:secret@h/a?sslmode=bogus", "DATABASE_URL", "verify-full"),
        ("--database-url", "mysql://localhost/x", "DATABASE_URL", "postgres://"),
        ("--database-url", "sqlite::memory:", "DATABASE_URL", "sqlite://PATH"),
        ("--database-url", "sqlite://:memory:", "DATABASE_URL", "would be lost"),
        ("--database-url", "sqlite://a.db?mode=memory", "DATABASE_URL", "would be lost"),
        ("--database-url", "sqlite://a.db?mode=rwc&cache=shared", "DATABASE_URL", "`mode=rwc`"),
        ("--database-url", "sqlite:file:x.db", "DATABASE_URL", "`file:`"),
        ("--database-url", "sqlite://file:x.db?mode=rwc", "DATABASE_URL", "`file:`"),
        ("--database-url", "sqlite://", "DATABASE_URL", "missing"),
    ] {
        let arguments = [flag, value];
        let error = validate(&arguments[..if value.is_empty() { 1 } else { 2 }]).unwrap_err();
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.starts_with(variable) && error.contains(expected), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

/// The forms in which browsers send an origin and a host; in another form, the setting would never match.
#[test]
fn origins_and_hosts_are_compared_as_browsers_send_them() {
    for (origin, sent) in [
        ("https://App.Example.com:443", "https://app.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000"),
        ("http://127.1:0080", "http://127.0.0.1"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ] {
        let cors = validate(&["--cors-allowed-origins", origin]).unwrap().http.cors_allowed_origins;
        assert_eq!(cors, Cors::Origins(vec![sent.parse().unwrap()]), "{origin}");
    }
    let hosts = validate(&["--allowed-hosts", "API.example.com., ::1, [0:0:0:0:0:0:0:1]"]).unwrap().http.allowed_hosts;
    assert_eq!(hosts, ["api.example.com", "[::1]", "[::1]"]);
}

#[test]
fn two_listeners_have_two_addresses() {
    for (clients, operators, is_accepted) in [
        ("127.0.0.1:9000", "127.0.0.1:9000", false),
        ("127.0.0.1:9000", "0.0.0.0:9000", false),
        ("[::]:9000", "127.0.0.1:9000", false),
        ("127.0.0.1:9000", "127.0.0.2:9000", true),
        ("127.0.0.1:9000", "127.0.0.1:9001", true),
        ("[::1]:9000", "0.0.0.0:9000", true),
        ("127.0.0.1:0", "127.0.0.1:0", true),
    ] {
        let error = validate(&["--listen-addr", clients, "--admin-addr", operators]).err();
        assert_eq!(error.is_none(), is_accepted, "{clients} {operators}: {error:?}");
        assert!(error.is_none_or(|error| error.starts_with("ADMIN_ADDR") && error.lines().count() == 1));
    }
}

#[test]
fn timeouts_that_contradict_each_other_are_refused() {
    for (flag, value, expected) in [
        ("--request-timeout", "400ms", None),
        ("--database-statement-timeout", "900ms", Some("must together be shorter than REQUEST_TIMEOUT (1s)")),
        ("--database-acquire-timeout", "700ms", Some("DATABASE_ACQUIRE_TIMEOUT (700ms)")),
        ("--database-lock-timeout", "500ms", Some("must not be longer than DATABASE_STATEMENT_TIMEOUT (400ms)")),
    ] {
        let error = validate(&[flag, value]).err();
        assert_eq!(error.is_some(), expected.is_some(), "{error:?}");
        assert!(error.is_none_or(|error| error.lines().count() == 1 && error.contains(expected.unwrap())), "{flag}");
    }
    let deadlines = validate(&["--request-timeout", "10s"]).unwrap().deadlines;
    let parts = [deadlines.queue, deadlines.acquire, deadlines.statement, deadlines.lock];
    assert_eq!(parts, [4, 2, 4, 3].map(Duration::from_secs));
}

#[test]
fn without_credentials_no_proxy_is_trusted() {
    let error = validate(&["--trusted-proxies", "127.0.0.1"]).unwrap().check_exposure().unwrap_err().to_string();
    assert!(error.starts_with("TRUSTED_PROXIES") && error.lines().count() == 1, "{error}");
    validate(&["--trusted-proxies", "127.0.0.1", "--api-keys-file", "keys"]).unwrap().check_exposure().unwrap();
}

#[test]
fn the_example_file_is_valid() {
    let example = include_str!("../../.env.example");
    let lines = example.lines().filter_map(|line| line.trim_start_matches("# ").split_once('='));
    let values: HashMap<_, _> = lines.filter(|(name, _)| !name.contains(' ')).collect();
    assert!(values.len() > 5, "{values:?}");
    let command = Arguments::command();
    for (name, value) in values {
        let argument = command.get_arguments().find(|argument| argument.get_env() == Some(OsStr::new(name)));
        let flag = argument.and_then(|argument| argument.get_long()).unwrap_or_else(|| panic!("no {name}"));
        validate(&[&format!("--{flag}"), value]).unwrap();
    }
}

#[test]
fn an_empty_value_is_the_default() {
    let flags = ["--listen-addr", "--database-url", "--request-timeout", "--max-connections", "--rate-limit", "--log"];
    let config = validate(&flags.map(|flag| [flag, ""]).concat()).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", validate(&[]).unwrap()));
}

#[test]
fn the_rate_limit_is_parsed() {
    let limit = |flags: &[&str]| {
        let http = validate(flags).unwrap().http;
        (http.rate_limit.map(|rate| (rate.count.get(), rate.period)), http.rate_limit_burst.map(NonZeroU32::get))
    };
    assert_eq!(limit(&[]), (Some((500, Duration::from_millis(2))), None));
    let flags = ["--rate-limit", "60/m", "--rate-limit-burst", "5"];
    assert_eq!(limit(&flags), (Some((60, Duration::from_secs(1))), Some(5)));
    assert_eq!(limit(&["--rate-limit", "off"]), (None, None));
}

#[test]
fn the_database_url_can_be_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "postgres://u:secret@db.example/app\n").unwrap();
    let config = validate(&["--database-url-file", file.path().to_str().unwrap()]).unwrap();
    assert_eq!(config.database.database_url.to_string(), "PostgreSQL, app on db.example:5432");
    std::fs::write(file.path(), "\n").unwrap();
    let error = validate(&["--database-url-file", file.path().to_str().unwrap()]).unwrap_err();
    assert!(error.contains("is empty"), "{error}");
}

#[test]
fn every_invalid_value_is_reported() {
    let error = validate(&["--listen-addr", "x", "--log-format", "y"]).unwrap_err();
    assert_eq!(error.lines().count(), 2, "{error}");
}

#[test]
fn a_password_is_never_shown() {
    let config = validate(&["--database-url", "postgres://u:secret@db.example:5433/app"]).unwrap();
    assert_eq!(config.database.database_url.to_string(), "PostgreSQL, app on db.example:5433");
    assert!(!format!("{config:?}").contains("secret"));
    for url in [
        "postgres://u:secret@db.example:port/app",
        "postgres://u:a?secret@db.example/app",
        "postgres://u:a?secret=b@db.example/app",
        "postgres://u:a#secret@db.example/app",
        "postgres://u:a/secret@db.example/app",
        "postgres://u:a%secret@db.example/app:b",
        "postgres:///db?password=se&secret",
        "postgres:///db?password=se&secret=x&sslmode=require",
        "postgres://u:a?secret",
        "postgres://u:a?secret%40db.example/app",
        "postgres:u:a/secret@10.0.0.9/app",
        "secret:postgres://u@db.example/app",
        "secret:a://b",
        "secret",
        "u:secret@db.example",
        "DATABASE_URL=secret://u:p@db.example/app",
    ] {
        let error = validate(&["--database-url", url]).err().unwrap_or_default();
        assert!(!error.contains("secret"), "{url}: {error}");
        assert!(error.lines().count() <= 1, "{error}");
    }
    // In the place of another value.
    for flag in ["--database-url-file", "--public-url", "--otel-exporter-otlp-endpoint", "--listen-addr"] {
        let error = validate(&[flag, "grpc://u:se/secret@db.example/app"]).unwrap_err();
        assert!(!error.contains("secret"), "{flag}: {error}");
    }
}

/// With the primary, and what is wrong. No message has a password.
#[test]
fn replicas_are_servers_of_postgresql() {
    let primary = "postgres://u:secret@db.example/app";
    let validate = |primary: &str, urls: &str| validate(&["--database-url", primary, "--database-replica-urls", urls]);
    let whole = "postgres://other:secret2@b.example:5433/app?sslmode=require";
    let config = validate(primary, &format!("postgres://a.example, {whole}")).unwrap();
    assert!(!format!("{config:?}").contains("secret"));
    let DatabaseTarget::Postgres(primary_options) = &config.database.database_url else { panic!("PostgreSQL") };
    let options =
        config.database.database_replica_urls.iter().map(|replica| replica.options(primary_options).to_url_lossy());
    let urls: Vec<_> = options.map(|url| url.as_str().split_once('?').unwrap().0.to_owned()).collect();
    assert_eq!(urls, ["postgres://u:secret@a.example:5432/app", "postgres://other:secret2@b.example:5433/app"]);
    for (primary, urls, problem) in [
        ("sqlite://a.db", "postgres://a.example", "only PostgreSQL has replicas, and DATABASE_URL is SQLite"),
        (
            "postgres:///app?host=/run/postgresql&user=u",
            "postgres://a.example",
            "DATABASE_URL is a socket: expected whole",
        ),
        (primary, "sqlite://a.db", "SQLite has no replicas: expected postgres://HOST:PORT or"),
        (primary, "a.example:5432", "unknown kind of database: expected postgres://HOST:PORT or"),
        (primary, "postgres://a.example/app", "a URL without a user has a server and nothing else: expected"),
        (primary, "postgres://a.example,postgres://", "the host is missing: expected postgres://HOST:PORT or"),
        (primary, "postgres://a.example, postgres://a.example", "a URL is listed twice"),
        (primary, "postgres://u:secret,2@a.example/app", "expected postgres://HOST:PORT or"),
    ] {
        let error = validate(primary, urls).unwrap_err();
        assert!(error.starts_with("DATABASE_REPLICA_URLS (--database-replica-urls): "), "{error}");
        assert!(error.contains(problem) && !error.contains("secret") && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn options_that_hosted_services_add_are_accepted() {
    let url = "postgres://u:p@db.example/app?sslmode=require&channel_binding=require&connect_timeout=10&target_session_attrs=any";
    assert_eq!(
        validate(&["--database-url", url]).unwrap().database.database_url.to_string(),
        "PostgreSQL, app on db.example:5432"
    );
}

#[test]
fn white_space_around_a_value_is_not_a_part_of_it() {
    let config = validate(&["--database-url", "sqlite://x.db\n", "--request-timeout", " 2s "]).unwrap();
    assert!(config.database.database_url.to_string().ends_with("x.db"));
    assert_eq!(config.http.request_timeout, Duration::from_secs(2));
}

#[test]
fn a_setting_that_needs_another_is_named() {
    for (flags, message) in [
        (&["--tls-certificate-file", "a"][..], "TLS_CERTIFICATE_FILE (--tls-certificate-file): it needs TLS_KEY_FILE"),
        (&["--tls-key-file", "a"], "TLS_KEY_FILE (--tls-key-file): it needs TLS_CERTIFICATE_FILE"),
        (&["--tls-client-ca-file", "a"], "TLS_CLIENT_CA_FILE (--tls-client-ca-file): it needs TLS_CERTIFICATE_FILE"),
        (&["--oidc-issuer", "https://a.example"], "OIDC_ISSUER (--oidc-issuer): it needs OIDC_AUDIENCE"),
        (&["--oidc-audience", "a"], "OIDC_AUDIENCE (--oidc-audience): it needs OIDC_ISSUER"),
    ] {
        let error = validate(flags).unwrap_err();
        assert!(error.starts_with(message) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn an_issuer_is_a_url_alone() {
    let issuer =
        |url: &str| validate(&["--oidc-issuer", url, "--oidc-audience", "a"]).map(|config| config.auth.oidc_issuer);
    assert_eq!(
        issuer("https://login.example.com/realms/a@b/"),
        Ok(Some("https://login.example.com/realms/a@b".to_owned()))
    );
    for url in [
        "https://user:secret@login.example.com",
        "https://secret@login.example.com/",
        "http://user:secret@localhost",
        "user:secret@login.example.com",
        "https://login.example.com?secret",
        "https://login.example.com/#secret",
        "https://login.example.com/a?b=secret#c",
    ] {
        let error = issuer(url).unwrap_err();
        assert!(error.starts_with("OIDC_ISSUER") && !error.contains("secret"), "{error}");
    }
    assert!(issuer("http://login.example.com").unwrap_err().contains("https"));
}

#[test]
fn without_credentials_the_address_is_of_this_machine() {
    for (address, is_accepted) in [
        ("127.0.0.1:0", true),
        ("[::1]:0", true),
        ("[::ffff:127.0.0.1]:0", true),
        ("0.0.0.0:0", false),
        ("[::]:0", false),
    ] {
        let config = validate(&["--listen-addr", address]).unwrap();
        assert_eq!(config.check_exposure().is_ok(), is_accepted, "{address}");
    }
}

#[test]
fn traces_are_sent_as_the_variables_of_opentelemetry_say() {
    let url = |flags: &[&str]| validate(flags).unwrap().telemetry.traces_url();
    let base = "--otel-exporter-otlp-endpoint=http://a.example:4318/x/";
    let whole = "--otel-exporter-otlp-traces-endpoint=https://b.example/spans?k=v";
    assert_eq!(url(&[]), None);
    assert_eq!(url(&[base]).as_deref(), Some("http://a.example:4318/x/v1/traces"));
    assert_eq!(url(&[base, whole]).as_deref(), Some("https://b.example/spans?k=v"));
    assert_eq!(url(&[whole]).as_deref(), Some("https://b.example/spans?k=v"));
    assert_eq!(url(&["--otel-traces-exporter=otlp"]).as_deref(), Some("http://localhost:4318/v1/traces"));
    let grpc = "--otel-exporter-otlp-protocol=grpc";
    assert_eq!(url(&[grpc, "--otel-traces-exporter=otlp"]).as_deref(), Some("http://localhost:4317"));
    assert_eq!(url(&[grpc, "--otel-exporter-otlp-endpoint=https://a.example"]).as_deref(), Some("https://a.example"));
    let http = "--otel-exporter-otlp-traces-protocol=http/protobuf";
    assert_eq!(url(&[grpc, http, base]).as_deref(), Some("http://a.example:4318/x/v1/traces"));
    for off in ["--otel-traces-exporter=none", "--otel-sdk-disabled=true", "--otel-sdk-disabled"] {
        assert_eq!(url(&[base, whole, off]), None, "{off}");
    }
}
