"""The names of a service, and where the names of this repository are replaced."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]

# Copied as they are: the licences of this code, and the contract tools, whose tests and documentation have a shop of their own.
KEPT = re.compile(r"LICENSE-|crates/(openapi-|contract-cli/)|docs/drift\.md$|scripts/drift-doc$")

# Here `user` is a person, an account or a name of someone else.
OTHER_USERS = re.compile(
    r"[Uu]ser[-_ ]?[Aa]gents?|USER_AGENT|adduser|--user(name)?(?![a-z-])|--git-user-id|(?<![A-Za-z])(get_)?username"
    r"|(set_)?tcp_user_timeout|TCP_USER_TIMEOUT|POSTGRES_USER|SUPERUSER|current_user|user_version|PrivateUsers|runAsUser|multi-user"
    r"|\bUser=|USER 65532|as user 65532|as a user of its own|user: postgres|user information|user:(password|secret)|USER:PASSWORD"
    r"|dbname user|user or password|a user name|\buser=(?=[a-z])|user root|the user (postgres|nobody)|URL without a user has"
    r"|Grafana \(user|unprivileged user|as other users|(by|if) this user|user@|\$USER\.db|userlist\.txt|if users notice"
    r"|crate has no users"
)

# The people of the examples in the contract, which a new database has too, and in the documents.
PEOPLE = {
    "Ada Lovelace": "First user",
    "Ada King": "Renamed user",
    "Katherine Johnson": "Second user",
    "Margaret Hamilton": "Third user",
    "Dorothy Vaughan": "New user",
    "Mary Jackson": "Another user",
    "ada": "first",
    "katherine": "second",
    "margaret": "third",
    "dorothy": "new",
    "mary": "another",
}
HAS_PEOPLE = re.compile(r"openapi\.yaml|tests/integration/example_data\.rs|.*\.md")

RUST = set("""
    abstract as async await become box break const continue crate do dyn else enum extern false final fn for if impl in let loop
    macro match mod move mut override priv pub ref return self static struct super trait true try type typeof union unsafe unsized
    use virtual where while yield
""".split())
SQL = set("""
    all analyze and any as between by case cast check collate column constraint create cross current default delete desc distinct
    do else end except exists false for foreign from full group having in index inner insert intersect into is join left like limit
    natural not null offset on or order outer primary references returning right row rows select set some table tables then to true
    union unique update using values view views when where window with
    add alter analyse array asymmetric authorization autoincrement binary both collation commit concurrently ctid current_catalog
    current_date current_role current_schema current_time current_timestamp current_user deferrable drop escape fetch freeze grant
    ilike initially isnull lateral leading localtime localtimestamp nothing notnull only overlaps placing raise session_user similar
    symmetric system_user tableoid tablesample trailing transaction user variadic verbose xmax xmin
""".split())
# What the code around a resource has already: modules, types, tables and variables.
CODE = set("""
    answer api app batch bench benches bin body build cache call caller case change cli client clock coalescer command config
    connection contract count create creation database delete detail docs duration entry environment error event file fuzz group
    health http id import input item key label limit line list location lookup main method metric mode name new news number
    operation option origin outcome page patch path pool port probe problem process query read request resource response result
    router run schema script server sort sql state statement status storage store string table target telemetry test time type
    update upkeep value version write writer
""".split())


class Names:
    def __init__(self, service, resource, key, extras):
        plural, colon, stated = resource.partition(":")
        one = stated if colon else singular(plural)
        word = service.replace("-", "_")
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", word) or is_reserved(word) or word in crates():
            raise ValueError(
                f"NAME {service}: expected words of lower-case letters and digits, such as book_shop, and no keyword or crate"
            )
        if not re.fullmatch(r"[a-z]{3,30}", plural) or "user" in plural or plural in SQL or is_reserved(plural):
            raise ValueError(
                f"RESOURCE {plural}: expected one lower-case word, such as books, that the code or SQL does not have already"
            )
        if not re.fullmatch(r"[a-z]{2,30}", one) or "user" in one or one == plural or is_reserved(one):
            raise ValueError(
                f"RESOURCE {resource}: expected a singular that is another lower-case word, and that the code does not have "
                "already; state it as in movies:movie"
            )
        if word in (plural, one):
            raise ValueError(f"NAME {service}: the service and its resource need different names")
        for name in (key.name, key.plural, *(field.name for field in extras)):
            if name in (plural, one):
                raise ValueError(f"FIELD {name}: a resource and its field need different names")
        self.service, self.plural, self.singular, self.key = word, plural, one, key
        # `cities` and `movies` end alike.
        self.is_doubtful = not colon and bool(re.search("(ch|i|o|s|sh|v|x|z)es$", plural))

    def check_paths(self, paths):
        """Refuses names with which two files or modules would have the same path."""
        taken = {stem for path in paths for stem in stems(path)}
        for path in paths:
            target = path if is_kept(path) else renamed(path, path, self)
            for stem in set(stems(target)) - set(stems(path)):
                if stem in taken:
                    raise ValueError(f"RESOURCE {self.plural}: {stem} exists already; choose another word")


def crates():
    """The crates that the code can name."""
    dependencies = re.findall(r'^name = "(.*)"$', (ROOT / "Cargo.lock").read_text(encoding="utf-8"), re.MULTILINE)
    return {name.replace("-", "_") for name in dependencies} | {"alloc", "core", "proc_macro", "std", "test"}


def is_reserved(word):
    return not {word, singular(word)}.isdisjoint(RUST | CODE) or word == "web_server"


def stems(path):
    """The path without `.rs`, and the folders that it is in."""
    parts = path.removesuffix(".rs").split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def plural_of(word):
    if re.search("[^aeiou]y$", word):
        return word.removesuffix("y") + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")


def singular(plural):
    for end, replacement in (
        ("ies", "y"),
        ("sses", "ss"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ss", "ss"),
        ("s", ""),
    ):
        if plural.endswith(end):
            return plural.removesuffix(end) + replacement
    return plural


def is_kept(path):
    return bool(KEPT.match(path))


def renamed(text, path, names):
    """Returns a text with the names of the service: a file, or its path."""
    if path.endswith(("Cargo.lock", "package-lock.json")):
        return re.sub(r"web([-_])server", lambda match: names.service.replace("_", match[1]), text)
    kept = []

    def keep(match):
        kept.append(match[0])
        return f"\0{len(kept) - 1}\0"

    text = OTHER_USERS.sub(keep, text)
    if HAS_PEOPLE.fullmatch(path):
        text = re.sub(r"\b(ada)@example\.com", r"\1", text)
        text = re.sub(rf"\b({'|'.join(PEOPLE)})\b", lambda match: PEOPLE[match[0]], text)
    # The resource that a guide adds.
    if {names.plural, names.singular} & {"teams", "team"} and path.endswith(".md"):
        text = text.replace("team", "club").replace("Team", "Club")
    text = rename_key(text, path, names.key)
    article = "an" if names.singular[0] in "aeio" else "a"
    text = re.sub(r"(?<![A-Za-z])(A|a)(?=[ _]`?[Uu]ser)", lambda match: match[0] + article[1:], text)
    first, second = (f"%{ord(letter):02x}" for letter in names.plural[:2])
    for old, new in (
        ("%75%73ers", first + second + names.plural[2:]),
        ("%75sers", first + names.plural[1:]),
        ("users", names.plural),
        ("Users", names.plural.capitalize()),
        ("USERS", names.plural.upper()),
        ("user", names.singular),
        ("User", names.singular.capitalize()),
        ("USER", names.singular.upper()),
        ("WebServer", "".join(map(str.capitalize, names.service.split("_")))),
        ("web_server", names.service),
        ("web-server", names.service.replace("_", "-")),
        ("WEB_SERVER", names.service.upper()),
    ):
        text = text.replace(old, new)
    return re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], text)


def rename_key(text, path, key):
    """The place of the e-mail address of a user is that of the unique property."""
    if path == "tests/harness/values.rs":
        return text
    pascal = "".join(map(str.capitalize, key.name.split("_")))
    words = key.name.replace("_", " ")
    article = "an" if key.name[0] in "aeio" else "a"
    if re.match(r"(src/storage|crates/api/src/resources)/users/|migrations/|tests/api_tests/(users|several_users)\.rs", path):
        text = re.sub(r"_address(es)?(?![A-Za-z])", lambda match: "_emails" if match[1] else "_email", text)
        text = re.sub(r"(?<!-mail )\b([Aa])(?=ddress)", lambda match: ("E" if match[1] == "A" else "e") + "-mail a", text)
    text = re.sub(r"\b([Aa])n(?= e-?mail)", lambda match: match[1] + article[1:], text)
    text = re.sub(r"(?<![A-Za-z])an(?=_email)", article, text)
    for old, new in (
        ("EmailAddress", f"User{pascal}"),
        ("e-mail addresses", key.plural.replace("_", " ")),
        ("E-mail addresses", key.plural.replace("_", " ").capitalize()),
        ("e-mail address", words),
        ("E-mail address", words.capitalize()),
    ):
        text = text.replace(old, new)
    text = re.sub(r"(?<![A-Za-z-])emails(?![A-Za-z])", key.plural, text)
    text = re.sub(r"(?<![A-Za-z-])email(?![A-Za-z])", key.name, text)
    text = re.sub(r"(?<![A-Za-z])EMAIL(?![A-Za-z])", key.name.upper(), text)
    return re.sub(r"Email(?=Taken)", pascal, text)
