//! The ports that the handlers call. The server implements them.

use std::sync::Arc;

use crate::{
    monitoring::{Exposition, Readiness},
    public_url::PublicUrl,
};

macro_rules! state {
    ($($resource:ident: $Port:ident,)*) => {
        /// The ports that the handlers call.
        #[derive(Clone)]
        pub struct AppState {
            $(
                #[doc = concat!("The store of ", stringify!($resource), ".")]
                pub $resource: Arc<dyn crate::resources::$resource::model::$Port>,
            )*
            /// Reports whether the server can process requests.
            pub readiness: Arc<dyn Readiness>,
            /// Renders the metrics in the Prometheus text format.
            pub metrics: Arc<dyn Exposition>,
            /// The URL that references in bodies begin with.
            pub public_url: PublicUrl,
        }
    };
}
crate::resources!(state);
