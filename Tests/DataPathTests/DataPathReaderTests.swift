import MPEGTS
import SystemPackage
import TestSupport
import Testing

@testable import DataPath

/// Tests publishers and taps with real pipes and sockets.
@Suite(.tags(.ffmpeg)) struct DataPathReaderTests {
    // MARK: Several readers

    @Test("a reader that stops reading delays no other, is reported, and skips later")
    func stalledReader() async throws {
        // The feed is smaller than the stream, and so is a pipe.
        let rig = await DataPathRig(limits: Feed.Limits(duration: Ticks.perSecond, bytes: 300_000))
        let (healthy, reader, _) = try await rig.publisher()
        reader.start()
        let (hung, hungReader, hungEvents) = try await rig.publisher()
        let (_, writer, events) = try await rig.source()
        let bytes = try await RecordedStream.busy.bytes()
        try await rig.write(bytes, to: writer, paceOf: healthy)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(healthy)
        let verdict = Verdict(try await reader.frames())
        #expect(verdict.isWhole && verdict.received == 150, "\(verdict)")
        #expect(hungReader.bytes.isEmpty)

        try await hungEvents.wait(for: .stalled)
        hungReader.start()
        try await hungEvents.wait(for: .recovered)
        try await rig.catchUp(hung)
        let (_, last, lastEvents) = try await rig.source()
        try await rig.write(await numberedStream(from: 1000), to: last)
        last.end()
        try await lastEvents.wait(for: .ended)
        try await eventually("the reader to catch up") { await rig.path.figures(of: hung)?.lag == 0 }
        #expect(await rig.path.figures(of: hung)?.skips == 1)
        try await rig.finish(hung)
        let reading = try await hungReader.frames()
        let jumped = Verdict(reading)
        #expect(
            jumped.lost.count == 2 && jumped.duplicated.isEmpty && jumped.late.isEmpty && jumped.backwards.isEmpty,
            "\(jumped)")
        #expect(jumped.last == 1059, "\(jumped)")
        #expect(reading.complaints.isEmpty, "\(reading.complaints)")
        // Shares of the stream are reported beside these two.
        let both: [PublisherEvent] = [.stalled, .recovered]
        #expect(hungEvents.all.filter { both.contains($0) } == both && !hungEvents.all.contains(.ended))
        await rig.path.stop()
    }

    @Test("a late reader begins at a keyframe, and one that leaves disturbs no other")
    func comingAndGoing() async throws {
        let rig = await DataPathRig()
        let (steady, reader, _) = try await rig.publisher()
        reader.start()
        var leaving: (DataPath.Attachment, Reader, Reports<PublisherEvent>)? = try await rig.publisher()
        let leaver = leaving!.2
        let (_, writer, events) = try await rig.source()
        let bytes = try await numberedStream(seconds: 3)
        let half = bytes.count / 2 / TransportBytes.packetSize * TransportBytes.packetSize
        try await rig.write(Array(bytes[..<half]), to: writer, paceOf: steady)
        // The process dies: the pipe has no other end any more.
        leaving = nil
        let (late, lateReader, _) = try await rig.publisher()
        lateReader.start()
        try await rig.write(Array(bytes[half...]), to: writer, paceOf: steady)
        try await leaver.wait(for: .ended)
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(steady)
        try await rig.finish(late)
        #expect(Verdict(try await reader.frames()).received == 90)
        let reading = try await lateReader.frames()
        #expect(reading.frames.first?.isKey == true && reading.complaints.isEmpty)
        let verdict = Verdict(reading)
        #expect(verdict.isWhole && verdict.last == 89, "\(verdict)")
        await rig.path.stop()
    }

    // MARK: Taps

    @Test(
        "bytes that wait in a pipe stay unchanged while the feed continues"
    )
    func lent() async throws {
        let rig = await DataPathRig(limits: Feed.Limits(duration: 1, bytes: 1))
        let (_, writer, _) = try await rig.source()
        let (slow, slowReader, _) = try await rig.publisher()
        let (quick, reader, _) = try await rig.publisher()
        reader.start()
        let bytes = try await numberedStream(seconds: 8, busy: true)
        let half = bytes.count / 2 / TransportBytes.packetSize * TransportBytes.packetSize
        try await rig.write(bytes[..<half], to: writer, paceOf: quick)
        await rig.path.endInput(of: slow)
        try await rig.write(bytes[half...], to: writer, paceOf: quick)
        try await rig.finish(quick)
        let all = try await reader.all()
        let waited = try await slowReader.start().all()
        #expect(
            all.count > 1 << 20 && waited.count > 100_000 && all.starts(with: waited),
            "\(all.count) and \(waited.count) bytes")
        await rig.path.stop()
    }

    @Test("a target that sends each read as a datagram gets whole packets")
    func wholePackets() async throws {
        let rig = await DataPathRig()
        let (_, writer, events) = try await rig.source()
        let bytes = try await numberedStream(seconds: 4, gop: 300, busy: true)
        #expect(bytes.count > 1 << 20)
        try await rig.write(bytes, to: writer)
        let (publisher, end) = try await rig.path.attachPublisher(to: .channel("main"), isPaced: false) { _ in }
        async let datagrams = readDatagrams(of: 7 * TransportBytes.packetSize, from: end, pause: .milliseconds(20))
        writer.end()
        try await events.wait(for: .ended)
        try await rig.finish(publisher)
        let given = await datagrams
        #expect(given.reduce(0) { $0 + $1.count } > 1 << 20)
        let odd = given.indices.filter {
            given[$0].first != 0x47 || !given[$0].count.isMultiple(of: TransportBytes.packetSize)
        }
        #expect(odd.isEmpty, "\(odd.count) of \(given.count), the first is \(odd.first ?? 0)")
        await rig.path.stop()
    }

    @Test("a tap serves several clients, and one that never reads delays no other")
    func taps() async throws {
        let rig = await DataPathRig()
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let clients = try (0..<3).map { _ in try Reader(port: port).start() }
        let hung = try Reader(port: port)
        let (_, writer, events) = try await rig.source()
        try await rig.write(await RecordedStream.busy.bytes(), to: writer)
        writer.end()
        try await events.wait(for: .ended)
        try await eventually("the last frame at every client") {
            Set(clients.map(\.bytes.count)).count == 1 && clients[0].bytes.count > 1_400_000
        }
        await rig.path.stop()
        for client in clients {
            let verdict = Verdict(try await client.frames())
            #expect(verdict.isWhole && verdict.received == 150, "\(verdict)")
        }
        #expect(hung.bytes.isEmpty)
        try await eventually("the port to be free") { !FreePort.isListening(tcp: port) }
    }

    @Test("a tap whose port is in use takes the next free one")
    func tapCollision() async throws {
        let rig = await DataPathRig()
        await rig.path.addGroup("hd")
        let first = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let second = try await rig.path.openTap(on: .group("hd"), port: first)
        #expect((first + 1...first + 100).contains(second))
        #expect(FreePort.isListening(tcp: first) && FreePort.isListening(tcp: second))
        await rig.path.stop()
    }

    @Test("a tap closes the seventeenth client, and accepts one after another has left")
    func tapLimit() async throws {
        let rig = await DataPathRig()
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        var clients = try (0..<16).map { _ in try Reader(port: port).start() }
        let surplus = try Reader(port: port).start()
        try await eventually("the seventeenth to be closed") { surplus.hasEnded }
        #expect(clients.allSatisfy { !$0.hasEnded })
        clients.removeLast().hangUp()
        let (_, writer, _) = try await rig.source()
        try await eventually("a place") {
            // The tap notices that a client has gone when it has bytes for it.
            try await rig.write(await RecordedStream.plain.bytes(), to: writer)
            // An accepted client gets the newest keyframe. A rejected one gets nothing.
            let client = try Reader(port: port).start()
            try await eventually("bytes, or the end") { !client.bytes.isEmpty || client.hasEnded }
            return !client.bytes.isEmpty
        }
        await rig.path.stop()
    }

    @Test("a tap drops a client that takes nothing, and keeps one that reads")
    func tapPatience() async throws {
        // Longer than the thread of the reading client may be late.
        let rig = await DataPathRig(tapPatience: .seconds(4))
        let port = try await rig.path.openTap(on: .channel("main"), port: try FreePort.tcp())
        let hung = try Reader(port: port)
        let reading = try Reader(port: port).start()
        let (_, writer, _) = try await rig.source()
        // More than the kernel holds for a connection.
        for _ in 0..<4 { try await rig.write(await RecordedStream.busy.bytes(), to: writer) }
        try await eventually("the client that takes nothing to be dropped") {
            try await rig.write(await RecordedStream.busy.bytes(), to: writer)
            return hung.isDropped
        }
        #expect(!reading.hasEnded)
        await rig.path.stop()
    }
}
