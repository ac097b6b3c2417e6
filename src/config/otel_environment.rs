//! The variables of OpenTelemetry that are no settings: its SDK reads them, and ignores values that it cannot use.

/// Whole numbers: milliseconds, or how many.
const NUMBERS: [&str; 7] = [
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
];

/// Lists of `name=value`, in which values are percent-encoded.
const LISTS: [&str; 3] =
    ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_RESOURCE_ATTRIBUTES"];

/// What the SDK does not have, with what to do instead.
const UNSUPPORTED: [(&str, &str); 11] = [
    ("OTEL_BSP_EXPORT_TIMEOUT", "set OTEL_EXPORTER_OTLP_TIMEOUT"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", TRUST),
    ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", TRUST),
    ("OTEL_EXPORTER_OTLP_CLIENT_KEY", NO_CERTIFICATE),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", NO_CERTIFICATE),
    ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", NO_CERTIFICATE),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", NO_CERTIFICATE),
    ("OTEL_EXPORTER_OTLP_INSECURE", SCHEME),
    ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", SCHEME),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", NO_LIMIT),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", NO_LIMIT),
];
const TRUST: &str = "put the certificate authorities into the file of SSL_CERT_FILE";
const NO_CERTIFICATE: &str =
    "the server has no certificate for the receiver of traces: send through a collector that has one";
const SCHEME: &str = "the scheme of the endpoint says it, http or https";
const NO_LIMIT: &str = "the length of attributes is limited by that of requests";

/// Appends a line to `errors` for each of these variables that would have no effect. `variable` returns the value of a variable.
pub(super) fn check(variable: impl Fn(&str) -> Option<String>, errors: &mut Vec<String>) {
    let value = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    for name in NUMBERS {
        if let Some(value) = value(name)
            && value.parse::<u32>().is_err()
        {
            errors.push(format!("{name}: invalid value {value:?}: expected a whole number, without a unit"));
        }
    }
    for name in LISTS {
        if value(name).is_some_and(|value| !value.split(',').all(is_pair)) {
            // Headers contain credentials.
            errors.push(format!(
                "{name}: expected a list such as name=value,other=value, with values in percent-encoding"
            ));
        }
    }
    for (name, instead) in UNSUPPORTED {
        if value(name).is_some() {
            errors.push(format!("{name}: not supported: {instead}"));
        }
    }
}

fn is_pair(text: &str) -> bool {
    text.trim().is_empty()
        || text.split_once('=').is_some_and(|(name, value)| !(name.trim().is_empty() || value.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_effect_is_one_line() {
        for (name, value, message) in [
            ("OTEL_BSP_SCHEDULE_DELAY", "5s", Some("a whole number")),
            ("OTEL_BSP_SCHEDULE_DELAY", "5000", None),
            ("OTEL_BSP_SCHEDULE_DELAY", " ", None),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", Some("a whole number")),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization secret", Some("name=value")),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret, x=1,", None),
            ("OTEL_RESOURCE_ATTRIBUTES", "=secret", Some("name=value")),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem", Some("SSL_CERT_FILE")),
            ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true", Some("http or https")),
            ("OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "x", None),
        ] {
            let mut errors = Vec::new();
            check(|variable| (variable == name).then(|| value.to_owned()), &mut errors);
            let text = errors.concat();
            assert_eq!(errors.len(), usize::from(message.is_some()), "{name}: {text}");
            assert!(text.contains(message.unwrap_or_default()) && !text.contains("secret"), "{text}");
        }
    }
}
