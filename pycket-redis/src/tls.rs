use pycket_core::Error;
use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, ring};

use crate::address::invalid;

/// Whom to trust and who we are, beyond what the platform says. In PEM.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) client: Option<Identity>,
}

#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Tls {
    pub(crate) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Error> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return match self {
                Self { authority: None, client: None } => Ok(info),
                _ => Err(invalid("certificates need TLS; use a rediss:// URL")),
            };
        }
        if CryptoProvider::get_default().is_none() {
            // An application that also builds another one must choose, and has not: without a choice
            // there would be a panic. If somebody chooses at this moment, theirs it is.
            let _ = ring::default_provider().install_default();
        }
        let certificates = TlsCertificates {
            root_cert: self.authority.clone(),
            client_tls: self.client.as_ref().map(|client| ClientTlsConfig {
                client_cert: client.certificate.clone(),
                client_key: client.key.clone(),
            }),
        };
        if self.authority.as_ref().is_some_and(|authority| !is_certificate(authority)) {
            return Err(invalid("the authority for TLS is no certificate in PEM"));
        }
        if self.client.as_ref().is_some_and(|client| !is_certificate(&client.certificate)) {
            return Err(invalid("the client's certificate for TLS is none in PEM"));
        }
        let client = Client::build_with_tls(info, certificates).map_err(|_| {
            invalid("the certificates for TLS cannot be read; they and the key must be in PEM")
        })?;
        Ok(client.get_connection_info().clone())
    }
}

/// The client takes a file without any certificate for one that trusts nobody.
fn is_certificate(pem: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    pem.windows(BEGIN.len()).any(|window| window == BEGIN)
}
