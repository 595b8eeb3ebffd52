import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import DataPath

/// Tests descriptors, and calls with unknown names.
@Suite(.tags(.ffmpeg)) struct DataPathTests {
    @Test("a detached source, publisher or encoder leaves no descriptor open")
    func descriptors() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        var pipes: [String] = []
        for round in 0..<50 {
            let (source, sourceEnd) = try await rig.path.attachSource(to: "main", priority: round) { _ in }
            let (publisher, publisherEnd) = try await rig.path.attachPublisher(to: .channel("main")) { _ in }
            let (encoder, input, output) = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) {
                _ in
            }
            let ends = [sourceEnd, publisherEnd, input, output]
            pipes += ends.map { target(of: $0.rawValue) }
            // The processes die before they are detached, or after that.
            if round.isMultiple(of: 2) { for end in ends { try end.close() } }
            for attachment in [source, publisher, encoder] { await rig.path.detach(attachment) }
            if !round.isMultiple(of: 2) { for end in ends { try end.close() } }
        }
        #expect(Set(pipes).count == 200 && pipes.allSatisfy { $0.hasPrefix("pipe:[") })
        let open = Set(
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { CInt($0) }.map(target))
        #expect(open.isDisjoint(with: pipes))
        await rig.path.stop()
    }

    @Test("attaching to a missing channel or group throws an error that names it")
    func unknownFeed() async throws {
        let rig = await DataPathRig()
        let (channel, group) = (UnknownFeed(name: .channel("other")), UnknownFeed(name: .group("hd")))
        await #expect(throws: channel) { _ = try await rig.path.attachSource(to: "other", priority: 0) { _ in } }
        await #expect(throws: channel) { _ = try await rig.path.openTap(on: .channel("other"), port: 20_000) }
        await #expect(throws: group) { _ = try await rig.path.attachPublisher(to: .group("hd")) { _ in } }
        await #expect(throws: group) {
            _ = try await rig.path.attachEncoder(to: "hd", in: "main", needsKeyframe: true) { _ in }
        }
        #expect(await rig.path.resumption(of: "hd", in: "main") == nil)
        #expect("\(channel)" == "the data path has no channel other" && "\(group)" == "the data path has no group hd")
        await rig.path.stop()
    }

    @Test("a stop of the data path closes every pipe and every tap")
    func stopping() async throws {
        let rig = await DataPathRig()
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let client = try Reader(port: port).start()
        let (_, reader, _) = try await rig.publisher()
        reader.start()
        let (_, writer, _) = try await rig.source()
        try await rig.write(await numberedStream(), to: writer)
        try await eventually("a stream") { !client.bytes.isEmpty && !reader.bytes.isEmpty }
        await rig.path.stop()
        _ = try await reader.all()
        _ = try await client.all()
    }

    private func target(of descriptor: CInt) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")) ?? "closed"
    }
}
