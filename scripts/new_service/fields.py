"""The fields of a service: parsed, and added to the contract, the models, the migrations and the statements.

The resource `users` of this repository has two texts, `name` and the unique `email`. The unique field of the service takes the
place of `email`. Every further field is added beside it: to the statements as a member of one JSON parameter, `details`, so that
each statement changes in one place whatever the fields are. Each is stored in a column of its own type.
"""

import re

from names import RUST, SQL, plural_of

BOUNDS = r"\((-?\d+)\.\.(-?\d+)\)"
TEXT = r"^[^\x00-\x1f\x7f]+$"
MAX_FIELDS = 10
MAX_CHARACTERS = 1_000
# Columns and aliases of the statements, members of the models, and types of the resource without its name.
TAKEN = set("""
    are_excluded at atomic batch caller change change_list change_query change_type changed_by created_at created_after
    created_before creation creations cursor details email emails free free_id id ids input item item_id limit list listed lookup
    name name_prefix names new new_details new_name now number part patch problem query sort status tail time updated_at value
    version
""".split())
# What readers of YAML take for a boolean or nothing.
YAML = {"yes", "no", "on", "off", "y", "n", "true", "false", "null"}
SECOND = "2026-11-22T09:30:00.000000Z"


class Field:
    def __init__(self, text):
        match = re.fullmatch(r"([^:]+):(string|integer|boolean|date-time|enum)(\(.*\))?([?!]?)", text)
        if not match:
            raise ValueError(f"FIELD {text}: expected NAME:TYPE, such as pages:integer; see scripts/new-service --help")
        self.name, self.type, arguments, mark = match[1], match[2], match[3] or "", match[4]
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", self.name) or len(self.name) > 40:
            raise ValueError(f"FIELD {text}: expected a name in snake_case, such as page_count")
        self.optional, self.unique = mark == "?", mark == "!"
        if self.name in RUST | SQL | TAKEN and not (self.unique and self.name == "email"):
            raise ValueError(
                f"FIELD {text}: {self.name} is a keyword, or a name that the code has already; choose a longer one"
            )
        if re.search("user|web_server", text) or re.search("(?<![a-z])email", text) and text != "email:string!":
            raise ValueError(f"FIELD {text}: user, email and web_server are replaced everywhere; choose another name")
        if self.unique and self.type != "string":
            raise ValueError(f"FIELD {text}: only a string can be unique")
        self.pascal = "".join(map(str.capitalize, self.name.split("_")))
        self.plural = plural_of(self.name)
        self.words = self.name.replace("_", " ")
        if self.type == "enum":
            self.values = re.findall(r"[^(|)]+", arguments)
            well_formed = re.fullmatch(r"\([a-z0-9_]+(\|[a-z0-9_]+)*\)", arguments)
            if not well_formed or len(set(self.values)) < len(self.values) or not all(map(is_variant, self.values)):
                raise ValueError(
                    f"FIELD {text}: expected different values in snake_case, such as enum(draft|published)"
                )
        elif self.type in ("string", "integer"):
            if self.unique and arguments:
                raise ValueError(
                    f"FIELD {text}: a unique string has 1 to 254 characters, which the tests use; change that later"
                )
            default = {
                "string": "(1..254)" if self.unique else "(1..200)",
                "integer": f"({-(2**53) + 1}..{2**53 - 1})",
            }[self.type]
            bounds = re.fullmatch(BOUNDS, arguments or default)
            if not bounds:
                raise ValueError(f"FIELD {text}: expected bounds such as {self.type}(1..5)")
            self.least, self.greatest = int(bounds[1]), int(bounds[2])
            least, greatest = (1, 1000) if self.type == "string" else (-(2**53) + 1, 2**53 - 1)
            if not least <= self.least <= self.greatest <= greatest:
                raise ValueError(f"FIELD {text}: expected bounds from {least} to {greatest}, the lower one first")
            if self.type == "integer" and abs(int(self.sample)) >= 2**31:
                raise ValueError(f"FIELD {text}: expected bounds with a number of 32 bits between them, for the tests")
        elif arguments:
            raise ValueError(f"FIELD {text}: {self.type} has no arguments")

    @property
    def has_schema(self):
        """Whether the contract has a schema for it, which the properties refer to."""
        return self.type in ("string", "integer", "enum")

    @property
    def description(self):
        """For the contract and the code, until the author describes what it means."""
        if self.type == "boolean":
            return f"Whether the user is {self.words}."
        if self.type == "date-time":
            return f"The time `{self.name}` of the user."
        return f"The {self.words} of the user."

    @property
    def sample(self):
        """A valid value: text, or JSON of the other types."""
        if self.type == "string":
            return (self.name * 200)[: max(self.least, min(len(self.name), self.greatest))]
        if self.type == "integer":
            return str(min(max(self.least, 1), self.greatest))
        return {"boolean": "true", "date-time": SECOND, "enum": getattr(self, "values", [""])[0]}[self.type]

    @property
    def json(self):
        return self.sample if self.type in ("integer", "boolean") else f'"{self.sample}"'

    @property
    def other_json(self):
        """Another valid value, if there is one, for the macro `json!`."""
        if self.type == "string":
            return f'"x".repeat({self.greatest})'
        if self.type == "enum":
            return f'"{self.values[-1]}"'
        if self.type == "integer":
            return f"{self.greatest}_i64"
        return {"boolean": "false", "date-time": '"1999-12-31T23:59:59.123456Z"'}[self.type]

    @property
    def invalid_json(self):
        """Values that the contract refuses."""
        values = ["null", "[]"]
        if self.type == "string":
            values += ['"\\u{0}"', f'"x".repeat({self.greatest + 1})'] + (['""'] if self.least == 1 else [])
        elif self.type == "integer":
            values += ["1.5", f"{self.greatest + 1}_i64", f"{self.least - 1}_i64"]
        else:
            values += {
                "boolean": ["0"],
                "date-time": ['"2026-02-30T00:00:00Z"', '"today"'],
                "enum": ['"none of them"'],
            }[self.type]
        return values

    @property
    def rust_type(self):
        return {"boolean": "bool", "date-time": "Timestamp"}.get(self.type, f"User{self.pascal}")

    @property
    def row_type(self):
        row = {"string": "String", "integer": "i64", "boolean": "bool", "date-time": "Micros"}
        row = row.get(self.type, f"Word<User{self.pascal}>")
        return f"Option<{row}>" if self.optional else row

    @property
    def decoded(self):
        if self.type == "boolean":
            return self.name
        new = {"string": f"User{self.pascal}({{}})", "integer": f"User{self.pascal}({{}})"}.get(self.type, "{}.0")
        if not self.optional:
            return f"{self.name}: " + new.format(self.name)
        map_ = ".map(|value| value.0)" if new == "{}.0" else f".map(User{self.pascal})"
        return f"{self.name}: {self.name}{map_}"

    def written(self, value):
        """The value for the statements, in Rust: times in microseconds."""
        return {"date-time": f"{value}.datetime().timestamp_micros()"}.get(self.type, value)

    @property
    def probe(self):
        """A valid value in Rust."""
        if self.optional:
            return "None"
        return {
            "string": f'User{self.pascal}("{self.sample}".to_owned())',
            "integer": f"User{self.pascal}({self.sample})",
            "boolean": "true",
            "date-time": "store.clock.now()",
            "enum": f"User{self.pascal}::{variant(self.sample)}",
        }[self.type]

    def sql(self, time):
        """A valid value in SQL, the same on both databases but for times."""
        if self.optional:
            return "NULL"
        values = {"integer": self.sample, "boolean": "TRUE", "date-time": time}
        return values.get(self.type, f"'{self.sample}'")

    def column(self, database):
        null = "" if self.optional else " NOT NULL"
        check = ""
        if self.type == "enum":
            check = f" CHECK ({self.name} IN ({', '.join(f'{value!r}' for value in self.values)}))"
        elif self.type == "boolean" and database == "sqlite":
            check = f" CHECK ({self.name} IN (0, 1))"
        sqlite = {"string": "TEXT", "enum": "TEXT"}.get(self.type, "INTEGER")
        postgres = {"integer": "bigint", "boolean": "boolean", "date-time": "timestamptz"}.get(self.type, "text")
        return f"{self.name} {sqlite if database == 'sqlite' else postgres}{null}{check}"

    def extracted(self, database, details):
        if database == "sqlite":
            return f"({details} ->> '{self.name}')"
        text = f"(({details})::jsonb ->> '{self.name}')"
        if self.type == "date-time":
            return f"(timestamptz 'epoch' + {text}::bigint * interval '1 microsecond')"
        return text + {"integer": "::bigint", "boolean": "::boolean"}.get(self.type, "")


def variant(value):
    return "".join(map(str.capitalize, value.split("_")))


def is_variant(value):
    """Whether serde's snake_case of the variant is the value again, and YAML needs no quotes."""
    name = variant(value)
    return value not in YAML and name[0].isalpha() and name != "Self" and re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() == value


def parse_fields(texts):
    fields = [Field(text) for text in texts]
    keys = [field for field in fields if field.unique] or [Field("code:string!")]
    extras = [field for field in fields if not field.unique]
    names = [field.name for field in keys[:1] + extras]
    if len(keys) > 1:
        raise ValueError(f"FIELD {keys[1].name}: {keys[0].name} is unique already; a resource has one unique field")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"FIELD {name}: declared twice")
    if keys[0].plural in names:
        raise ValueError(
            f"FIELD {keys[0].plural}: is the plural of {keys[0].name}, which lookups have; choose another name"
        )
    if sum(field.greatest for field in extras if field.type == "string") > MAX_CHARACTERS:
        raise ValueError(
            f"FIELD: the strings have more than {MAX_CHARACTERS} characters in all, more than a request body may have"
        )
    if len(extras) > MAX_FIELDS:
        raise ValueError(
            f"FIELD {extras[MAX_FIELDS].name}: expected at most {MAX_FIELDS} fields besides the unique one"
        )
    return keys[0], extras
