import Foundation
import TestSupport
import Testing

/// Servers that are reached by TLS are asked who they are, with every FFmpeg.
@Suite(.serialized, .tags(.ffmpeg)) struct CertificateTests {
    @Test("a target is given its key when its certificate is valid, and told as not trusted when it is not", arguments: TestCertificates.Kind.allCases)
    func targets(kind: TestCertificates.Kind) async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let (certificate, key) = try await certificates.make(kind)
            let sink = try await stage.nginx()
            let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
            let secret = try stage.folder.write("key", "s3cretkey", mode: 0o600)
            func target(_ name: String, _ tls: String) -> String {
                "{ name: \(name), url: \"rtmps://localhost:\(port)/live\", key: { file: \(secret) }\(tls) }"
            }
            let daemon = try await stage.streambox("""
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups: [ { name: hd, video: { encoder: libx264, bitrate: 400k }, targets: [ \(target("a", ", tls: { ca: \(certificates.authority) }")) ] } ]
                """)
            if kind == .good {
                try await stage.expect("the target live", of: daemon) { $0.target("a")?.state == "live" && $0.problems.isEmpty }
                #expect(try sink.publishes().map(\.name) == ["s3cretkey"])
            } else {
                let words = switch kind {
                case .good, .otherHost: "another host's"
                case .expired: "it has expired, or is not valid yet"
                case .selfSigned: "no known authority has signed it"
                }
                try await stage.expect("the problem", of: daemon) { $0.hasProblem("target-down", words) }
                #expect(try sink.publishes().isEmpty)
            }
            try await daemon.terminate()
        }
    }

    @Test("without an authority of its own the system's is asked, which knows none of a test; verify: none asks nobody, and check warns of it")
    func unchecked() async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let (certificate, key) = try await certificates.make(.good)
            let sink = try await stage.nginx()
            let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
            let daemon = try await stage.streambox("""
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups:
                      - name: hd
                        video: { encoder: libx264, bitrate: 400k }
                        targets:
                          - { name: checked, url: "rtmps://localhost:\(port)/live/one" }
                          - { name: unchecked, url: "rtmps://localhost:\(port)/live/two", tls: { verify: none } }
                """)
            try await stage.expect("one of them", of: daemon) { $0.target("unchecked")?.state == "live" && $0.hasProblem("target-down", "certificate") }
            #expect(try sink.publishes().map(\.name) == ["two"])
            let check = try await stage.command(["check", daemon.config])
            #expect(check.ending == .exited(0) && (check.text + check.errors).contains("is not checked"))
            try await daemon.terminate()
        }
    }

    @Test(
        "a good certificate is accepted by the system's authorities; without any, the package is named",
        arguments: [true, false])
    func system(isInstalled: Bool) async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let (certificate, key) = try await certificates.make(.good)
            let sink = try await stage.nginx()
            let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
            let config = try stage.configuration("""
                  - name: main
                    sources: [ { test: { size: 320x180, rate: 30 } } ]
                    groups:
                      - name: hd
                        video: { encoder: libx264, bitrate: 400k }
                        targets: [ { name: a, url: "rtmps://localhost:\(port)/live/one" } ]
                """)
            try await stage.rememberFirstStart("box")
            // A folder of authorities that the service alone sees.
            let mount = "mount -t tmpfs tmpfs /etc/ssl/certs"
                + (isInstalled ? " && cp \(certificates.authority) /etc/ssl/certs/ca-certificates.crt" : "")
            func arguments(_ command: String) -> [String] {
                [geteuid() == 0 ? "-m" : "-Urm", "sh", "-c", "\(mount) && exec \(Daemon.path) \(command)"]
            }
            let program = try await stage.program("unshare", arguments("run --config \(config) --log-level debug"))
            let daemon = Daemon(program: program, config: config, runtime: stage.folder.path("run-box"))
            let check = try await Program.run("unshare", arguments("check \(config)"))
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

    @Test("what is pulled by rtmps is taken from a server with a valid certificate alone")
    func pulls() async throws {
        try await withStage { stage in
            let certificates = try await TestCertificates(stage)
            let sink = try await stage.nginx()
            let publisher = try await stage.publish(.small, to: sink.url("camera"))
            try await eventually("the camera") { try sink.publishes().contains { $0.isAccepted } }
            for (kind, isTaken) in [(TestCertificates.Kind.good, true), (.otherHost, false)] {
                let (certificate, key) = try await certificates.make(kind)
                let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
                let daemon = try await stage.streambox("""
                      - name: main
                        sources: [ { pull: { url: "rtmps://localhost:\(port)/live/camera", tls: { ca: \(certificates.authority) } } } ]
                        groups: [ { name: hd, tap: true } ]
                    """, name: "\(kind.rawValue.lowercased())")
                if isTaken {
                    try await stage.expect("the camera on air", of: daemon) { $0.source("pull-0")?.isOnAir == true }
                } else {
                    try await stage.expect("the problem", of: daemon) { $0.hasProblem("source-failed", "certificate") }
                }
                try await daemon.terminate()
            }
            await stage.end(publisher)
        }
    }
}
