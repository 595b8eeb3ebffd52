import Foundation
import TestSupport

/// The programs around the service and its peer: the source, the sink, and for TLS what is between.
struct FanoutRig {
    private let stage: Stage
    private let product: Product
    private let file: String
    private let sink: NginxRTMP
    /// The sink by TLS, and the authority of its certificate.
    private let secureSink: (port: Int, authority: String)?

    /// - Parameter bitrate: In kilobits per second.
    init(_ stage: Stage, product: Product, bitrate: Int, usesTLS: Bool) async throws {
        self.stage = stage
        self.product = product
        let source = NumberedSource.with {
            $0.width = 1280
            $0.height = 720
            $0.duration = .seconds(10)
            $0.picture = .busy
            $0.bitrate = bitrate
        }
        file = stage.folder.path("source.flv")
        try await source.write(to: file)
        sink = try await stage.nginx()
        guard usesTLS else {
            secureSink = nil
            return
        }
        let certificates = try await TestCertificates(stage)
        let (certificate, key) = try await certificates.make(.good)
        let port = try await stage.tlsFront(of: sink.port, certificate: certificate, key: key)
        secureSink = (port, certificates.authority)
    }

    /// The peer, in words.
    var peerName: String {
        secureSink == nil
            ? "nginx-rtmp's worker" : "nginx-rtmp's worker and \(TLSClient.isStunnel ? "stunnel" : "nginx")"
    }

    /// Runs both with so many targets.
    ///
    /// - Parameter name: Unique among the measurements of the rig.
    func measure(_ targets: Int, seconds: Int, name: String) async throws -> FanoutResult {
        let (peers, peerPort) = try await startPeer(targets, name)
        let (service, port) = try await startService(targets, name)
        var publishers: [TestProcess] = []
        for port in [port, peerPort] {
            let url = "rtmp://127.0.0.1:\(port)/live/x"
            let words = ["-re", "-stream_loop", "-1", "-i", file, "-c", "copy", "-f", "flv", url]
            publishers.append(try await stage.program("ffmpeg", ["-v", "error", "-nostdin"] + words))
        }
        for index in 1...targets {
            try await sink.waitForPublishes(of: "\(name)box\(index)", within: .seconds(60))
            try await sink.waitForPublishes(of: "\(name)peer\(index)", within: .seconds(60))
        }
        try await waitUntilSteady(service)
        let programs = [[service.pid], peers.map(\.pid)]
        let before = try programs.map { try TreeFigures(of: $0) }
        let start = ContinuousClock.now
        try await Task.sleep(for: .seconds(seconds))
        let after = try programs.map { try TreeFigures(of: $0) }
        let length = (ContinuousClock.now - start).inSeconds
        let figures = zip(before, after).map { before, after in
            FanoutResult.Figures(
                processor: (after.cpu - before.cpu) / length * 100, memory: Double(after.memory) / 1e6,
                processes: after.processes)
        }
        try await expectUndisturbed(targets, name)
        _ = try await service.interrupt(.seconds(30))
        for program in publishers + peers { await stage.end(program) }
        return FanoutResult(targets: targets, service: figures[0], peer: figures[1])
    }

    /// - Throws: `Failed` if a target has connected again. The figures would not be those of steady targets.
    private func expectUndisturbed(_ targets: Int, _ name: String) async throws {
        let publishes = try sink.publishes().filter {
            $0.name.hasPrefix(name + "box") || $0.name.hasPrefix(name + "peer")
        }
        guard publishes.count == 2 * targets, !publishes.contains(where: \.hasEnded) else {
            throw Failed("\(publishes.count) publishes for \(2 * targets) targets, or one has ended")
        }
    }

    /// Starts nginx-rtmp, and for TLS the program that its pushes go through.
    private func startPeer(_ targets: Int, _ name: String) async throws -> (programs: [TestProcess], port: Int) {
        var programs: [TestProcess] = []
        var out = sink.port
        if let secureSink {
            let client = try await stage.tlsClient(to: secureSink.port, authority: secureSink.authority)
            programs = [client.program]
            out = client.port
        }
        let urls = (1...targets).map { "rtmp://127.0.0.1:\(out)/live/\(name)peer\($0)" }
        let peer = try await stage.copyingPeer(to: urls, name: "\(name)-peer")
        return (programs + [peer.program], peer.port)
    }

    private func startService(_ targets: Int, _ name: String) async throws -> (program: TestProcess, port: Int) {
        let list = (1...targets).map { index in
            let key = "\(name)box\(index)"
            guard let secureSink else { return "url: \"\(sink.url(key))\"" }
            let url = "rtmps://localhost:\(secureSink.port)/live/\(key)"
            return "url: \"\(url)\", tls: { ca: \(secureSink.authority) }"
        }
        return try await stage.copyingService(product, targets: list, name: name)
    }
}
