//! The proxy under test: how it is described, configured, started, watched and stopped.
//!
//! No proxy is known by name here. What one is called, how it is started and what it can be told
//! comes from its [`profile`]; what a case wants of it is a [`configuration::Configuration`]; both together
//! become a running [`process::Subject`], or a proxy that runs already is wrapped as a
//! [`remote::Remote`]. The module uses little else of the harness and needs no async runtime: its
//! waits block, each with a deadline, and may be called from any thread.
//!
//! ```no_run
//! use connectspec_harness::subject::{configuration::Configuration, process::Subject, profile::Profile};
//!
//! let profile = Profile::load("my-proxy.toml".as_ref())?;
//! let subject = Subject::launch(&profile, &Configuration::new(([127, 0, 0, 1], 3128).into()))?;
//! println!("{} listens on {}", profile.title, subject.address());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod capability;
pub mod configuration;
mod htpasswd;
pub mod log;
pub mod offers;
pub mod process;
pub mod profile;
pub mod remote;
mod subject;
mod users;
pub mod variables;
mod written;

pub use capability::{Claims, Need, Offer};
pub use subject::Who;
pub use users::User;
