import Foundation
import TestSupport
import Testing

/// The check of a TLS server's certificate, with every FFmpeg.
@Suite(.serialized, .tags(.ffmpeg)) struct CertificateTests {
    /// A channel with a test picture and one group with these targets, one per line.
    private func channel(_ targets: String...) -> String {
        """
          - name: main
            sources: [ { test: { size: 320x180, rate: 30 } } ]
            groups:
              - name: hd
                video: { encoder: libx264, bitrate: 400k }
                targets:
        \(targets.map { "          - \($0)" }.joined(separator: "\n"))
        """
    }

    @Test("only a target with a valid certificate gets the stream key", arguments: TestCertificates.Kind.allCases)
    func targets(kind: TestCertificates.Kind) async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let (certificate, key) = try await certificates.make(kind)
            let sink = try await stage.nginx()
            let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
            let secret = try stage.folder.write("key", "s3cretkey", mode: 0o600)
            let address = "url: \"rtmps://localhost:\(port)/live\", key: { file: \(secret) }"
            let daemon = try await stage.streambox(
                channel("{ name: a, \(address), tls: { ca: \(certificates.authority) } }"))
            if kind == .good {
                try await stage.expect("the target live", of: daemon) {
                    $0.target("a")?.state == "live" && $0.problems.isEmpty
                }
                #expect(try sink.publishes().map(\.name) == ["s3cretkey"])
            } else {
                let words =
                    switch kind {
                    case .good, .otherHost: "for another host"
                    case .expired: "it has expired, or is not valid yet"
                    case .selfSigned: "no known authority has signed it"
                    }
                try await stage.expect("the problem", of: daemon) { $0.hasProblem("target-down", words) }
                #expect(try sink.publishes().isEmpty)
            }
            try await daemon.terminate()
        }
    }

    @Test("the system's authorities reject a test certificate unless verify is none")
    func unchecked() async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let (certificate, key) = try await certificates.make(.good)
            let sink = try await stage.nginx()
            let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
            let server = "rtmps://localhost:\(port)/live"
            let daemon = try await stage.streambox(
                channel(
                    "{ name: checked, url: \"\(server)/one\" }",
                    "{ name: unchecked, url: \"\(server)/two\", tls: { verify: none } }"))
            try await stage.expect("one of them live", of: daemon) {
                $0.target("unchecked")?.state == "live" && $0.hasProblem("target-down", "certificate")
            }
            #expect(try sink.publishes().map(\.name) == ["two"])
            let check = try await stage.command(["check", daemon.config])
            #expect(check.ending == .exited(0) && (check.text + check.errors).contains("is not checked"))
            try await daemon.terminate()
        }
    }

    @Test("the system's authorities accept a good certificate; a missing package is named", arguments: [true, false])
    func system(isInstalled: Bool) async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let (certificate, key) = try await certificates.make(.good)
            let sink = try await stage.nginx()
            let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
            let config = try stage.configuration(
                channel("{ name: a, url: \"rtmps://localhost:\(port)/live/one\" }"))
            try await stage.rememberFirstStart("box")
            // The service alone sees this folder of authorities.
            let mount =
                "mount -t tmpfs tmpfs /etc/ssl/certs"
                + (isInstalled ? " && cp \(certificates.authority) /etc/ssl/certs/ca-certificates.crt" : "")
            let run = PrivateDisk.arguments(mount, "run --config \(config) --log-level debug")
            let daemon = stage.daemon(try await stage.program("unshare", run), config)
            let check = try await TestProcess.run("unshare", PrivateDisk.arguments(mount, "check \(config)"))
            #expect(check.ending == .exited(0))
            #expect((check.text + check.errors).contains("install the package ca-certificates") == !isInstalled)
            if isInstalled {
                try await stage.expect("the target live", of: daemon) {
                    $0.target("a")?.state == "live" && $0.problems.isEmpty
                }
                #expect(try sink.publishes().map(\.name) == ["one"])
            } else {
                try await stage.expect("the problem", of: daemon) {
                    $0.hasProblem("target-down", "the authorities that this system trusts are not installed")
                }
                #expect(try sink.publishes().isEmpty)
            }
            try await daemon.terminate()
        }
    }

    @Test("an rtmps pull reads only from a server with a valid certificate")
    func pulls() async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let sink = try await stage.nginx()
            let publisher = try await stage.publish(.small, to: sink.url("camera"))
            try await eventually("the camera") { try sink.publishes().contains { $0.isAccepted } }
            for (kind, isAccepted) in [(TestCertificates.Kind.good, true), (.otherHost, false)] {
                let (certificate, key) = try await certificates.make(kind)
                let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
                let daemon = try await stage.streambox(
                    """
                      - name: main
                        sources:
                          - pull:
                              url: "rtmps://localhost:\(port)/live/camera"
                              tls: { ca: \(certificates.authority) }
                        groups: [ { name: hd, tap: true } ]
                    """, name: kind.rawValue.lowercased())
                if isAccepted {
                    try await stage.expect("the camera on air", of: daemon) { $0.source("pull-0")?.isOnAir == true }
                } else {
                    try await stage.expect("the problem", of: daemon) { $0.hasProblem("source-failed", "certificate") }
                }
                try await daemon.terminate()
            }
            await stage.end(publisher)
        }
    }

    /// Runs a pull by https from a file server that has `live.ts`, and `live`: a playlist that names it without TLS.
    private func withPull(
        _ kind: TestCertificates.Kind, of address: String, password: String? = nil,
        _ body: (Stage, FileServer, Daemon) async throws -> Void
    ) async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let (certificate, key) = try await certificates.make(kind)
            _ = try await stage.file("live.ts") { $0.duration = .seconds(10) }
            let server = try FileServer(stage, password: password)
            try stage.folder.write(
                "live",
                """
                #EXTM3U
                #EXT-X-VERSION:3
                #EXT-X-TARGETDURATION:10
                #EXT-X-MEDIA-SEQUENCE:0
                #EXTINF:10.0,
                \(server.url("live.ts"))
                #EXT-X-ENDLIST

                """, mode: 0o644)
            try await server.start()
            let port = try await stage.tlsFront(of: server.port, certificate: certificate, key: key)
            let user = password == nil ? "" : "viewer@"
            let file = try password.map { try stage.folder.write("password", $0, mode: 0o600) }
            let secret = file.map { ", password: { file: \($0) }" } ?? ""
            let url = "https://\(user)localhost:\(port)/\(address)"
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { pull: { url: "\(url)", tls: { ca: \(certificates.authority) }\(secret) } } ]
                    groups: [ { name: raw, video: copy, audio: copy, tap: true } ]
                """)
            try await body(stage, server, daemon)
            try await daemon.terminate()
        }
    }

    @Test(
        "an https pull sends its password only to a server with a valid certificate",
        arguments: [TestCertificates.Kind.good, .otherHost, .selfSigned])
    func passwords(kind: TestCertificates.Kind) async throws {
        try await withPull(kind, of: "live.ts", password: "s3cret") { stage, server, daemon in
            if kind == .good {
                try await stage.expect("the file on air", of: daemon) { $0.source("pull-0")?.isOnAir == true }
                // nginx logs a request once its answer is complete.
                try await eventually("the request") { try server.requests().contains { $0.contains("Basic") } }
            } else {
                try await stage.expect("the problem", of: daemon) { $0.hasProblem("source-failed", "certificate") }
                #expect(try server.requests().isEmpty)
            }
        }
    }

    @Test(
        "a playlist without a known suffix leads an https pull to no unchecked server",
        arguments: ["live", "live?token=4f0c2a9b7d"])
    func hiddenPlaylist(address: String) async throws {
        let words = try await InstalledFFmpeg.release().0 < 9 ? "is a playlist" : "leads to an address without TLS"
        try await withPull(.good, of: address) { stage, server, daemon in
            try await stage.expect("the problem", of: daemon) { $0.hasProblem("source-failed", words) }
            let requests = try await eventually("a request") { () -> [String]? in
                let requests = try server.requests()
                return requests.isEmpty ? nil : requests
            }
            #expect(requests.allSatisfy { $0.hasPrefix("/live ") || $0.hasPrefix("/live?") })
        }
    }

    @Test(
        "an https pull that is redirected to plain http ends with that reason",
        arguments: ["moved/live.ts", "moved/live.ts?token=4f0c2a9b7d"])
    func redirected(address: String) async throws {
        try await withPull(.good, of: address) { stage, _, daemon in
            try await stage.expect("the problem", of: daemon) {
                $0.hasProblem("source-failed", "leads to an address without TLS")
            }
        }
    }
}
