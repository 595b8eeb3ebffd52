import Foundation
import TestSupport

/// A proxy that sends the plain bytes of its clients to a server by TLS: stunnel, or nginx where that is not installed.
struct TLSClient {
    let program: TestProcess
    /// The port for plain bytes.
    let port: Int

    /// Where Debian has stunnel.
    private static let stunnel = "/usr/bin/stunnel4"
    static var isStunnel: Bool { FileManager.default.isExecutableFile(atPath: stunnel) }

    fileprivate static func start(_ stage: Stage, to server: Int, authority: String) async throws -> TLSClient {
        let port = try FreePort.tcp()
        let folder = try stage.folder.makeFolder("tls-client-\(port)")
        let stunnelConfig = """
            foreground = yes
            pid =
            debug = warning
            [out]
            client = yes
            accept = 127.0.0.1:\(port)
            connect = 127.0.0.1:\(server)
            CAfile = \(authority)
            verifyChain = yes
            checkHost = localhost
            sni = localhost

            """
        let nginxConfig = """
            daemon off; master_process off; pid \(folder)/nginx.pid; error_log \(folder)/error.log warn;
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            events { worker_connections 1024; }
            stream { server { listen 127.0.0.1:\(port); proxy_pass 127.0.0.1:\(server); proxy_ssl on;
              proxy_ssl_verify on; proxy_ssl_trusted_certificate \(authority);
              proxy_ssl_name localhost; proxy_ssl_server_name on; } }
            """
        let conf = try stage.folder.write("tls-client-\(port)/conf", isStunnel ? stunnelConfig : nginxConfig)
        let program = try await stage.program(
            isStunnel ? stunnel : "nginx", isStunnel ? [conf] : ["-p", folder, "-c", conf])
        try await eventually("the TLS client to listen on \(port)") { FreePort.isListening(tcp: port) }
        return TLSClient(program: program, port: port)
    }
}

extension Stage {
    /// Starts a proxy from plain bytes to a TLS server on `localhost`, whose certificate it checks.
    func tlsClient(to server: Int, authority: String) async throws -> TLSClient {
        try await TLSClient.start(self, to: server, authority: authority)
    }
}
