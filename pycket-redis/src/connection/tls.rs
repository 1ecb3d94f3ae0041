use std::io;
use std::sync::Arc;

use pycket_core::Error;
use pycket_core::driver::invalid_setting;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::connect::Stream;

/// The certificates of the settings, in PEM.
#[derive(Default)]
pub(crate) struct Certificates {
    /// Replaces the authorities that the platform trusts.
    pub(crate) authority: Option<Vec<u8>>,
    /// The client's certificate and its key.
    pub(crate) client: Option<(Vec<u8>, Vec<u8>)>,
}

/// Opens TLS connections.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Certificates {
    pub(crate) fn are_set(&self) -> bool {
        self.authority.is_some() || self.client.is_some()
    }
}

impl Tls {
    pub(crate) fn new(certificates: &Certificates) -> Result<Self, Error> {
        // The application may have chosen another provider for the whole process.
        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| Arc::new(ring::default_provider()));
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid_setting("TLS is not usable").with_source(error))?;
        let roots = match &certificates.authority {
            Some(pem) => given_roots(pem)?,
            None => platform_roots()?,
        };
        let config = config.with_root_certificates(roots);
        let config = match &certificates.client {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let chain = read_certificates(chain, "`tls_client` has no certificate in PEM")?;
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|_| invalid_setting("`tls_client` has no private key in PEM"))?;
                config.with_client_auth_cert(chain, key).map_err(|error| {
                    invalid_setting("the key in `tls_client` is not usable for the certificate")
                        .with_source(error)
                })?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    pub(super) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<Box<dyn Stream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Box::new(self.0.connect(name, stream).await?))
    }
}

fn given_roots(pem: &[u8]) -> Result<RootCertStore, Error> {
    if CertificateRevocationListDer::pem_slice_iter(pem).next().is_some() {
        return Err(invalid_setting(
            "`tls_authority` has a revocation list, which is not checked; remove the list, and use certificates that \
             expire soon",
        ));
    }
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(pem, "`tls_authority` has no certificate in PEM")? {
        roots.add(certificate).map_err(|error| {
            invalid_setting("`tls_authority` has a certificate that cannot be read")
                .with_source(error)
        })?;
    }
    Ok(roots)
}

fn platform_roots() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    match found.errors.into_iter().next() {
        Some(error) if added == 0 => Err(invalid_setting(
            "the trusted certificates of the platform cannot be read; set `tls_authority`",
        )
        .with_source(error)),
        _ => Ok(roots),
    }
}

fn read_certificates(
    pem: &[u8],
    message: &'static str,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    certificates.ok().filter(|found| !found.is_empty()).ok_or_else(|| invalid_setting(message))
}
