//! API keys: what a caller sends is known here only by its SHA-256 digest.
//!
//! A key is `wsk_` and 64 hexadecimal digits, 256 random bits, so its digest needs no salt and cannot be reversed by trying.
//! Secret scanners find leaked keys by the expression `wsk_[0-9a-f]{64}`.

use std::{collections::HashMap, fmt};

use aws_lc_rs::{constant_time, digest, rand};
use chrono::{DateTime, SecondsFormat, Utc};

/// The beginning of every key.
pub(crate) const PREFIX: &str = "wsk_";

/// The hexadecimal digits after it.
const SECRET_DIGITS: usize = 64;

/// What an entry looks like, for messages.
const EXPECTED: &str = "expected `NAME SCOPE,SCOPE EXPIRY sha256:DIGEST`, as `web_server keys new` prints it";

type Digest = [u8; 32];

/// A key, as the configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Who has the key, in logs and changes.
    pub name: String,
    /// What the key allows.
    pub scopes: Vec<String>,
    /// When it expires, if it does.
    pub expires: Option<DateTime<Utc>>,
    digest: Digest,
}

/// One line: `NAME SCOPE,SCOPE EXPIRY sha256:DIGEST`, where EXPIRY is a time or `never`.
impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, scopes, expires, digest } = self;
        let expires = expires.map_or("never".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
        write!(f, "{name} {} {expires} sha256:{}", scopes.join(","), hex(digest))
    }
}

impl ApiKey {
    /// Returns a new key: its secret, which is stored nowhere, and its entry.
    ///
    /// # Errors
    /// The name is invalid, or the system has no random numbers.
    pub fn generate(
        name: String,
        scopes: Vec<String>,
        expires: Option<DateTime<Utc>>,
    ) -> Result<(String, Self), String> {
        if !is_name(&name) {
            return Err("a name has 1 to 64 letters, digits, `-`, `_` or `.`".to_owned());
        }
        let mut random = [0; 32];
        rand::fill(&mut random).map_err(|_| "the system has no random numbers".to_owned())?;
        let secret = format!("{PREFIX}{}", hex(&random));
        let digest = digest_of(&secret);
        Ok((secret, Self { name, scopes, expires, digest }))
    }

    /// Parses the value of a setting: entries that are separated by line breaks or `;`. Empty lines and those that begin with
    /// `#` are ignored.
    ///
    /// # Errors
    /// The number of the entry that is invalid, and what is wrong. The message does not quote it: it may be a key.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let entries = lines(text).flat_map(|(_, line)| line.split(';')).map(str::trim).filter(|line| !line.is_empty());
        let keys = entries.enumerate().map(|(index, entry)| Self::parse(entry).map_err(|what| (index, what)));
        let keys =
            keys.collect::<Result<Vec<_>, _>>().map_err(|(index, what)| format!("entry {}: {what}", index + 1))?;
        ApiKeys::new(keys.clone()).map(|_| keys)
    }

    /// Parses a file with an entry per line. Empty lines and those that begin with `#` are ignored, and a byte order mark.
    ///
    /// # Errors
    /// The number of the line that is invalid, and what is wrong, as above.
    pub(crate) fn parse_file(text: &str) -> Result<Vec<Self>, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        lines(text).map(|(number, line)| Self::parse(line).map_err(|what| format!("line {number}: {what}"))).collect()
    }

    fn parse(line: &str) -> Result<Self, String> {
        if is_secret(line) {
            return Err(
                "this is a key; the server must know only its digest, in the line that `keys new` prints".to_owned()
            );
        }
        let mut fields = line.split_ascii_whitespace();
        let (Some(name), Some(scopes), Some(expires), Some(digest), None) =
            (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(EXPECTED.to_owned());
        };
        if !is_name(name) {
            return Err(format!("invalid name: {EXPECTED}"));
        }
        let expires = match expires {
            "never" => None,
            time => Some(time.parse().map_err(|_| format!("invalid expiry: {EXPECTED}, with a time or `never`"))?),
        };
        let digest = digest.strip_prefix("sha256:").and_then(unhex).ok_or(format!("invalid digest: {EXPECTED}"))?;
        let scopes = scopes.split(',').map(str::to_owned).collect();
        Ok(Self { name: name.to_owned(), scopes, expires, digest })
    }
}

/// The lines that are not empty and not comments, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().map(str::trim).enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Whether a line contains a key. A name may begin with the prefix, but is too short for a key.
fn is_secret(line: &str) -> bool {
    let is_hex = |rest: &str| rest.bytes().take(SECRET_DIGITS).filter(u8::is_ascii_hexdigit).count() == SECRET_DIGITS;
    line.to_ascii_lowercase().split(PREFIX).skip(1).any(is_hex)
}

/// Whether this can be the name of a caller: short, and safe in a log line.
fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// The keys that are accepted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ApiKeys(HashMap<[u8; 8], Vec<ApiKey>>);

impl ApiKeys {
    /// # Errors
    /// Two entries have the same digest: which of their scopes and expiries would count depends on chance, and to remove one
    /// would not revoke the key.
    pub(crate) fn new(keys: impl IntoIterator<Item = ApiKey>) -> Result<Self, String> {
        let mut all: HashMap<_, Vec<ApiKey>> = HashMap::new();
        for key in keys {
            let others = all.entry(beginning(&key.digest)).or_default();
            if let Some(other) = others.iter().find(|other| other.digest == key.digest) {
                return Err(format!("two entries, {} and {}, are of the same key: remove one", other.name, key.name));
            }
            others.push(key);
        }
        Ok(Self(all))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Whether a token is an API key, known or not.
    pub(crate) fn is_key(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// Returns the key with this secret, expired or not.
    ///
    /// The time of the search depends on the digest of the token only, of which nothing follows for the digests of the keys:
    /// the map compares its first bytes, and the rest is compared in constant time.
    pub(crate) fn find(&self, token: &str) -> Option<&ApiKey> {
        let digest = digest_of(token);
        let candidates = self.0.get(&beginning(&digest))?;
        candidates.iter().find(|key| constant_time::verify_slices_are_equal(&key.digest, &digest).is_ok())
    }
}

fn beginning(digest: &Digest) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    [a, b, c, d, e, f, g, h]
}

fn digest_of(secret: &str) -> Digest {
    let digest = digest::digest(&digest::SHA256, secret.as_bytes());
    // SHA-256 has 32 bytes.
    digest.as_ref().try_into().unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    if text.len() != 2 * digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> (String, ApiKey) {
        ApiKey::generate(name.to_owned(), vec!["users:read".to_owned()], "2030-01-01T00:00:00Z".parse().ok()).unwrap()
    }

    #[test]
    fn an_entry_reads_as_it_is_written() {
        let ((secret, one), (_, two)) = (key("one"), key("two"));
        let text = format!("# Of the team.\n\n{one}\n  {two}\r\n");
        assert_eq!(ApiKey::parse_all(&text).unwrap(), [one.clone(), two.clone()]);
        assert_eq!(ApiKey::parse_file(&format!("\u{feff}{text}# {one}; {two}")).unwrap(), [one.clone(), two.clone()]);
        assert_eq!(ApiKey::parse_all(&format!("# a; b\n{one}")).unwrap(), std::slice::from_ref(&one));
        assert_eq!(ApiKey::parse_all(&format!("{one};{two};")).unwrap(), [one.clone(), two.clone()]);
        let never = ApiKey { expires: None, ..one.clone() };
        assert_eq!(ApiKey::parse_all(&never.to_string()).unwrap(), [never]);
        assert!(!text.contains(&secret));

        let keys = ApiKeys::new([one.clone(), two]).unwrap();
        assert_eq!(keys.find(&secret), Some(&one));
        assert_eq!(keys.find(&secret.to_uppercase()), None);
        assert_eq!(keys.find(&secret[..secret.len() - 1]), None);
    }

    #[test]
    fn the_message_about_an_entry_does_not_quote_it() {
        let (secret, one) = key("one");
        let valid = one.to_string();
        for (text, what) in [
            (format!("one users:read never {secret}"), "entry 1: this is a key"),
            (format!("{valid}\n{}", valid.replace("sha256:", "sha512:")), "entry 2: invalid digest"),
            (valid.replace("2030-01-01", "2030-13-01"), "entry 1: invalid expiry"),
            (valid.replace("one", "o/e"), "entry 1: invalid name"),
            (format!("{valid} more"), "entry 1: expected `NAME"),
            (valid.replace("sha256:", "sha256:+"), "entry 1: invalid digest"),
            (format!("{}x users:read never sha256:", secret.to_uppercase()), "entry 1: this is a key"),
            (
                format!("# comment\n;\n{valid};{}", valid.replace("one", "two")),
                "two entries, one and two, are of the same",
            ),
        ] {
            let message = ApiKey::parse_all(&text).unwrap_err();
            assert!(message.starts_with(what), "{message}");
            assert!(!message.contains(&secret[4..]) && !message.contains(&valid[40..]), "{message}");
        }
    }

    #[test]
    fn the_message_about_a_file_has_the_number_of_the_line() {
        let message = ApiKey::parse_file(&format!("# one; two\n\n{}\nthree", key("one").1)).unwrap_err();
        assert!(message.starts_with("line 4: expected `NAME"), "{message}");
    }

    #[test]
    fn a_name_may_look_like_the_beginning_of_a_key() {
        for name in ["my_wsk_x", "wsk_0123456789abcdef0123456789abcdef"] {
            let (_, key) = key(name);
            assert_eq!(ApiKey::parse_all(&key.to_string()).unwrap(), [key]);
        }
    }
}
