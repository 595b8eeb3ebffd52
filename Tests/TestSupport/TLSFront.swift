import Foundation

/// Certificates for tests, made by the real openssl.
package struct TestCertificates: Sendable {
    /// The PEM file of the authority that signs them.
    package let authority: String
    private let folder: String

    /// Makes an authority in a folder of the stage.
    package init(_ stage: Stage) async throws {
        folder = try stage.folder.makeFolder("certificates")
        authority = folder + "/ca.pem"
        try await Self.openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=Authority -keyout \(folder)/ca.key -out \(authority)")
    }

    package enum Kind: String, Sendable, CaseIterable {
        case good, otherHost, expired, selfSigned
    }

    /// Makes a certificate and its key.
    ///
    /// - Returns: The paths of their PEM files.
    package func make(_ kind: Kind) async throws -> (certificate: String, key: String) {
        let base = "\(folder)/\(kind.rawValue)"
        let (certificate, key) = (base + ".pem", base + ".key")
        let name = kind == .otherHost ? "other.example" : "localhost"
        if kind == .selfSigned {
            try await Self.openssl(
                "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=\(name) -addext subjectAltName=DNS:\(name)"
                    + " -keyout \(key) -out \(certificate)")
            return (certificate, key)
        }
        try Data("subjectAltName=DNS:\(name)\n".utf8).write(to: URL(fileURLWithPath: base + ".ext"))
        try await Self.openssl("req -newkey rsa:2048 -nodes -subj /CN=\(name) -keyout \(key) -out \(base).csr")
        guard kind == .expired else {
            let serial = UInt32.random(in: 1 ... .max)
            try await Self.openssl(
                "x509 -req -in \(base).csr -CA \(authority) -CAkey \(folder)/ca.key -set_serial \(serial) -days 30"
                    + " -extfile \(base).ext -out \(certificate)")
            return (certificate, key)
        }
        // Only this command can backdate a certificate.
        let list = base + ".ca"
        try FileManager.default.createDirectory(atPath: list, withIntermediateDirectories: false)
        for (file, text) in [
            ("index", ""), ("serial", "01\n"),
            (
                "conf",
                """
                [ca]
                default_ca=one
                [one]
                database=\(list)/index
                serial=\(list)/serial
                new_certs_dir=\(list)
                default_md=sha256
                policy=any
                [any]
                commonName=supplied

                """
            ),
        ] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(list)/\(file)"))
        }
        try await Self.openssl(
            "ca -batch -notext -config \(list)/conf -cert \(authority) -keyfile \(folder)/ca.key"
                + " -startdate 20200101000000Z -enddate 20200201000000Z -extfile \(base).ext"
                + " -in \(base).csr -out \(certificate)")
        return (certificate, key)
    }

    private static func openssl(_ words: String) async throws {
        _ = try await TestProcess.run("openssl", words.split(separator: " ").map(String.init)).success(
            "openssl \(words)")
    }
}

extension Stage {
    /// Starts a TLS proxy of a port on `localhost`. Ends with the stage.
    ///
    /// - Returns: The port that accepts TLS.
    package func tlsFront(of port: Int, certificate: String, key: String) async throws -> Int {
        let front = try FreePort.tcp()
        let base = try folder.makeFolder("tls-\(front)")
        let config = try folder.write(
            "tls-\(front)/nginx.conf",
            """
            daemon off;
            master_process off;
            pid \(base)/nginx.pid;
            error_log \(base)/error.log info;
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            events { worker_connections 256; }
            stream {
              server {
                listen 127.0.0.1:\(front) ssl;
                ssl_certificate \(certificate);
                ssl_certificate_key \(key);
                proxy_pass 127.0.0.1:\(port);
              }
            }
            """)
        _ = try await program("nginx", ["-p", base, "-c", config])
        try await eventually("the TLS front to listen on \(front)") { FreePort.isListening(tcp: front) }
        return front
    }
}
