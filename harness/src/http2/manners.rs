//! What a client does by itself, where a case does not do it.

/// What the proxy may have on its way on all streams together, beside [`WINDOW`]: one that is not read must not stop the others.
const CONNECTION_WINDOW: u32 = 1 << 24;

/// What this side does by itself.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Acknowledges SETTINGS.
    pub acknowledges: bool,
    /// Gives back the window of what was read.
    pub credits: bool,
    /// Opens the window of the whole connection by so many octets at once, beside the 65,535 that it begins with; 0: by none.
    pub connection_window: u32,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            acknowledges: true,
            credits: true,
            connection_window: CONNECTION_WINDOW,
        }
    }
}
