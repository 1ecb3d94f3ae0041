use std::ffi::OsString;
use std::ops::Deref;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use super::redis::{VOLATILE, arguments};
use super::server::{Kind, Server};

const SOCKET: &str = "socket";

static VALID: Kind = Kind {
    scheme: "rediss",
    arguments: |port, directory| tls_arguments(port, directory, "server"),
    template: &[],
    setup: &[],
    probe_socket: Some(SOCKET),
    ..VOLATILE
};

static EXPIRED: Kind =
    Kind { arguments: |port, directory| tls_arguments(port, directory, "expired"), ..VALID };

/// A Redis server whose port speaks TLS only. It has all methods of [`Server`].
///
/// Its certificate is for `localhost` and `127.0.0.1`, signed by an authority that only this value knows.
/// It asks for a client certificate but does not require one.
#[derive(Debug)]
pub struct RedisTls {
    server: Server,
}

impl Server {
    /// A Redis server that speaks TLS. Tests that change its settings use its Unix socket.
    /// It panics if this `redis-server` was built without TLS.
    pub fn redis_tls() -> RedisTls {
        RedisTls { server: Self::launch(&VALID) }
    }

    /// The same with a certificate that expired at the end of the year 2000.
    pub fn redis_tls_expired() -> RedisTls {
        RedisTls { server: Self::launch(&EXPIRED) }
    }
}

impl RedisTls {
    /// The certificate of the authority, in PEM.
    pub fn authority(&self) -> String {
        self.read("authority.pem")
    }

    /// A client certificate that the server accepts, in PEM.
    pub fn client_certificate(&self) -> String {
        self.read("client.pem")
    }

    /// The key of the client certificate, in PEM.
    pub fn client_key(&self) -> String {
        self.read("client.key")
    }

    /// The URL of the same server without TLS, over a Unix socket.
    pub fn socket_url(&self) -> String {
        format!("redis+unix://{}", self.server.directory().join(SOCKET).display())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.server.directory().join(name)).expect("written at the start")
    }
}

impl Deref for RedisTls {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

fn tls_arguments(port: u16, directory: &Path, certificate: &str) -> Vec<OsString> {
    if !directory.join("authority.pem").exists() {
        make_certificates(directory).expect("certificates can be made");
    }
    let mut words =
        arguments(0, directory, &["--appendonly", "no", "--tls-auth-clients", "optional"]);
    words.extend(["--tls-port".into(), port.to_string().into()]);
    for (option, file) in [
        ("--unixsocket", SOCKET.to_owned()),
        ("--tls-cert-file", format!("{certificate}.pem")),
        ("--tls-key-file", format!("{certificate}.key")),
        ("--tls-ca-cert-file", "authority.pem".to_owned()),
    ] {
        words.extend([option.into(), directory.join(file).into_os_string()]);
    }
    words
}

fn make_certificates(directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let write = |name: &str, text: String| std::fs::write(directory.join(name), text);

    let key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "pycket-testkit");
    write("authority.pem", authority.self_signed(&key)?.pem())?;
    let authority = Issuer::new(authority, key);

    for name in ["server", "expired", "client"] {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["localhost", "127.0.0.1"].map(str::to_owned))?;
        if name == "expired" {
            params.not_before = date_time_ymd(2000, 1, 1);
            params.not_after = date_time_ymd(2000, 12, 31);
        }
        write(&format!("{name}.pem"), params.signed_by(&key, &authority)?.pem())?;
        write(&format!("{name}.key"), key.serialize_pem())?;
    }
    Ok(())
}
