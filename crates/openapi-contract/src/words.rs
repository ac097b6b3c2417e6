//! Enums that stand for words.

/// Defines an enum with a word for each variant: `as_str` and `Display` give the word, `ALL` lists the variants.
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
    };
}

pub(crate) use words;
