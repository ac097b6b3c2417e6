//! Enums that stand for words.

/// Defines an enum with a word for each variant: `as_str` and `Display` give the word, `FromStr` reads it, `ALL` lists the
/// variants.
#[macro_export]
macro_rules! words {
    ($(#[$attribute:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$doc])* #[doc = concat!("`", $word, "`")] $variant,)+
        }

        impl $name {
            /// Every one, in the order of their definition.
            pub const ALL: [$name; [$($word),+].len()] = [$($name::$variant),+];

            /// The word that it is displayed as.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                let known = Self::ALL.into_iter().find(|one| one.as_str() == word);
                known.ok_or_else(|| format!("expected one of {}", [$($word),+].join(", ")))
            }
        }
    };
}

pub(crate) use words;
