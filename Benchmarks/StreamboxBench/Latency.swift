import ArgumentParser
import Foundation
import Synchronization
import TestSupport

/// Measures the latency that the two feeds add: the service against the same FFmpeg commands joined by plain pipes.
///
/// One recorded stream is sent twice, packet by packet at its own pace, to two UDP ports at the same moments. One goes
/// through the service, the other through `relay | encoder` with exactly the arguments that `streambox plan` prints.
/// The frames come at irregular distances, so that each can be identified at the far end even if its timestamp has
/// changed.
struct Latency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Latency of source → relay → encoder → tap, against plain pipes.")

    @OptionGroup var product: Product
    @Option(help: "Seconds of measuring.") var seconds = 20
    @Option(help: "Seconds at the start that do not count.") var warmup = 4
    @Option(help: "Frames per second.") var rate = 30
    @Flag(
        help:
            """
            Lets the plain pipes declare the lengths of frames, as feeds do, so that a reader need not wait for the \
            next one.
            """
    )
    var declaredLengths = false
    @Flag(help: "Measures RTMP in → copy → RTMP target instead, against the same frames sent to a target directly.")
    var rtmp = false

    func run() async throws {
        if rtmp {
            try await RTMPLatency(product: product, seconds: seconds, warmup: warmup, rate: rate).run()
            return
        }
        try await withStage { stage in
            let stream = try await PacedStream(seconds: warmup + seconds, rate: rate)
            let ports = [try FreePort.udp(), try FreePort.udp()]
            let configurations = try ports.enumerated().map { index, port in
                try stage.folder.write(
                    "box\(index).yaml",
                    """
                    runtime: \(stage.folder.path("run\(index)"))
                    channels:
                      - name: main
                        sources: [ { pull: { url: "udp://127.0.0.1:\(port)" } } ]
                        groups: [ { name: latency, video: { bitrate: 1M, keyframe: 1s }, audio: { bitrate: 96k },
                          tap: true } ]
                    """)
            }
            let box = try await stage.program(product.streambox, ["run", "--config", configurations[0]])
            let pipes = try await plainPipes(stage, configurations[1])
            try await eventually("both sources to listen") { ports.allSatisfy { FreePort.isBound(udp: $0) } }
            try await eventually("the tap") { !(try tapPort(stage)).isEmpty }
            guard let port = Int(try tapPort(stage)) else { throw Failed("the tap has no port") }
            let arrivals = [Arrivals(descriptor: try connect(port: port)), Arrivals(descriptor: pipes)]

            let sent = try await stream.send(to: ports)
            try await Task.sleep(for: .seconds(1))
            _ = try? await box.interrupt(.seconds(15))

            let ours = stream.delays(of: arrivals[0].all, sent: sent, after: Double(warmup))
            let theirs = stream.delays(of: arrivals[1].all, sent: sent, after: Double(warmup))
            guard !ours.isEmpty, !theirs.isEmpty else {
                throw Failed("no frame could be matched: \(ours.count), \(theirs.count)")
            }
            let frame = 1000.0 / Double(rate)
            let difference = median(Array(ours.values)) - median(Array(theirs.values))
            let pairs = ours.compactMap { index, delay in theirs[index].map { delay - $0 } }
            func line(_ delays: [Double]) -> String {
                """
                median \(median(delays).formatted(1)) ms, p95 \(percentile(delays, 0.95).formatted(1)) ms, \
                \(delays.count) frames
                """
            }
            print(
                """
                latency: last byte of a frame sent → last byte of it out, \(seconds) s at \(rate) frames per second
                  streambox (two feeds, tap)  \(line(Array(ours.values)))
                  relay | encoder\(declaredLengths ? ", declared" : "          ")   \(line(Array(theirs.values)))
                  difference of the medians   \(difference.formatted(1)) ms = \((difference / frame).formatted(2)) \
                frames (to be ≤ 1)
                  frame by frame              \(line(pairs))
                """)
        }
    }

    private func tapPort(_ stage: Stage) throws -> String {
        let text = (try? stage.folder.text("run0/taps")) ?? ""
        return text.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
    }

    /// Starts relay and encoder with a pipe between them.
    ///
    /// - Returns: The reading end of the encoder's output.
    private func plainPipes(_ stage: Stage, _ configuration: String) async throws -> Int32 {
        struct Plan: Decodable {
            struct Process: Decodable {
                var role: String
                var arguments: [String]
            }
            var processes: [Process]
        }
        let plan = try JSONDecoder().decode(
            Plan.self,
            from: Data(
                try await TestProcess.run(product.streambox, ["plan", "--json", configuration]).success("plan").output))
        func arguments(_ role: String) throws -> [String] {
            guard let found = plan.processes.first(where: { $0.role == role }) else {
                throw Failed("the plan has no \(role)")
            }
            return found.arguments
        }
        var between: [Int32] = [0, 0]
        var behind: [Int32] = [0, 0]
        guard pipe(&between) == 0, pipe(&behind) == 0 else { throw Failed("no pipe") }
        for end in between + behind { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let encoder = try arguments("encoder")
        var relay = try arguments("relay")
        if declaredLengths { relay.insert(contentsOf: ["-omit_video_pes_length", "0"], at: relay.count - 1) }
        // The service sets the encoder's frame rate to the measured one, which a plan cannot know.
        let command = encoder.map { $0 == "force-cfr=0" ? "fps=\(rate)" : $0 }
        _ = try await stage.program(
            command[0], Array(command.dropFirst()), input: .descriptor(between[0]), output: .descriptor(behind[1]))
        _ = try await stage.program(relay[0], Array(relay.dropFirst()), output: .descriptor(between[1]))
        for end in [between[0], between[1], behind[1]] { close(end) }
        return behind[0]
    }
}

/// A recorded stream whose frames come at irregular distances.
private struct PacedStream {
    /// The stream in pieces of one datagram each, and the time to send each.
    private var datagrams: [(bytes: [UInt8], at: Double)] = []
    /// The time at which each frame is shown, in seconds from the first.
    private var frames: [Double] = []
    /// The datagram that ends each frame.
    private var lastDatagram: [Int] = []
    private static let videoPID = 256

    init(seconds: Int, rate: Int) async throws {
        // Every frame is moved by up to a quarter of a frame, by a rule that does not repeat.
        let ticks = 90_000 / rate
        let moved = "setpts='N*\(ticks)+mod(N*N*7919+N*104729,\(ticks / 2))',settb=1/90000"
        let bytes = try await TestProcess.run(
            "ffmpeg",
            [
                "-v", "error", "-nostdin", "-f", "lavfi", "-i",
                "testsrc2=size=640x360:rate=\(rate),settb=1/90000,\(moved)",
                "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "\(seconds)", "-fps_mode",
                "passthrough",
                "-enc_time_base", "1:90000", "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-b:v",
                "2M", "-maxrate", "2M",
                "-bufsize", "1M", "-g", "\(rate)", "-c:a", "aac", "-b:a", "96k", "-f", "mpegts", "-muxdelay", "0",
                "-muxpreload", "0",
                "-pes_payload_size", "0", "pipe:1",
            ], within: .seconds(120)
        ).success("a stream").output

        // A packet belongs to the unit that began last on its PID, and is due at that unit's decoding time.
        let starts = TransportBytes.timestamps(bytes)
        guard let first = starts.first(where: { $0.pid == Self.videoPID }) else {
            throw Failed("the stream has no frames")
        }
        let byPacket = Dictionary(starts.map { ($0.packet, $0) }, uniquingKeysWith: { first, _ in first })
        var due = 0.0
        var open: [UInt8] = []
        var opened = 0.0
        for (index, packet) in TransportBytes.packets(bytes).enumerated() {
            if let start = byPacket[index] {
                let time = Double(Int64(start.dts) - Int64(first.dts)) / 90_000
                if start.pid == Self.videoPID { frames.append(Double(Int64(start.pts) - Int64(first.pts)) / 90_000) }
                due = max(due, time)
            }
            if !open.isEmpty, open.count >= 7 * TransportBytes.packetSize || due > opened {
                datagrams.append((open, opened))
                open = []
            }
            if open.isEmpty { opened = due }
            open += packet
            if TransportBytes.pid(packet) == Self.videoPID, !frames.isEmpty {
                if lastDatagram.count < frames.count { lastDatagram.append(0) }
                lastDatagram[frames.count - 1] = datagrams.count
            }
        }
        datagrams.append((open, opened))
    }

    /// Sends every datagram to every port at its time.
    ///
    /// - Returns: When each was sent.
    func send(to ports: [Int]) async throws -> [ContinuousClock.Instant] {
        let datagrams = datagrams
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let end = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
                defer { close(end) }
                let begin = ContinuousClock.now + .milliseconds(100)
                var sent: [ContinuousClock.Instant] = []
                for datagram in datagrams {
                    let wait = (begin + .seconds(datagram.at)) - .now
                    if wait > .zero { usleep(UInt32(wait.inSeconds * 1e6)) }
                    sent.append(.now)
                    for port in ports {
                        var address = sockaddr_in()
                        address.sin_family = sa_family_t(AF_INET)
                        address.sin_port = in_port_t(port).bigEndian
                        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
                        _ = withUnsafePointer(to: &address) {
                            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                                sendto(
                                    end, datagram.bytes, datagram.bytes.count, 0, $0,
                                    socklen_t(MemoryLayout<sockaddr_in>.size))
                            }
                        }
                    }
                }
                continuation.resume(returning: sent)
            }
        }
    }

    /// Returns the milliseconds from the sending of each frame to its arrival, by the frame's number.
    func delays(of arrivals: [Arrivals.Frame], sent: [ContinuousClock.Instant], after: Double) -> [Int: Double] {
        guard let offset = offset(of: arrivals) else { return [:] }
        var delays: [Int: Double] = [:]
        var next = 0
        for arrival in arrivals {
            let time = arrival.pts - offset
            while next < frames.count, frames[next] < time - 0.0005 { next += 1 }
            guard next < frames.count, abs(frames[next] - time) <= 0.0005, frames[next] >= after else { continue }
            delays[next] = (arrival.time - sent[lastDatagram[next]]).inSeconds * 1000
        }
        return delays
    }

    /// Returns how much later a frame's timestamp is at the far end: the offset at which most frames match one that was
    /// sent.
    private func offset(of arrivals: [Arrivals.Frame]) -> Double? {
        let sample = arrivals.dropFirst(arrivals.count / 2).prefix(40)
        guard let first = sample.first, sample.count == 40 else { return nil }
        func hits(_ offset: Double) -> Int {
            var next = 0
            return sample.count { arrival in
                let time = arrival.pts - offset
                while next < frames.count, frames[next] < time - 0.0005 { next += 1 }
                return next < frames.count && abs(frames[next] - time) <= 0.0005
            }
        }
        let best = frames.map { first.pts - $0 }.max { hits($0) < hits($1) }
        return best.flatMap { hits($0) > 30 ? $0 : nil }
    }
}

/// Reads a transport stream and records when the last packet of each frame came.
final class Arrivals: Sendable {
    struct Frame: Sendable {
        /// In seconds.
        var pts: Double
        var time: ContinuousClock.Instant
    }
    private let frames = Mutex<[Frame]>([])

    var all: [Frame] { frames.withLock { $0 } }

    /// - Parameter descriptor: Owned by this object and read to its end.
    init(descriptor: Int32) {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            var rest: [UInt8] = []
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                let now = ContinuousClock.now
                rest += buffer[..<count]
                let whole = rest.count / TransportBytes.packetSize * TransportBytes.packetSize
                take(Array(rest[..<whole]), now)
                rest.removeFirst(whole)
            }
            close(descriptor)
        }
    }

    private func take(_ bytes: [UInt8], _ now: ContinuousClock.Instant) {
        let starts = TransportBytes.timestamps(bytes).filter { $0.pid == 256 }
        frames.withLock { frames in
            var next = starts.startIndex
            for (index, packet) in TransportBytes.packets(bytes).enumerated() where TransportBytes.pid(packet) == 256 {
                if next < starts.endIndex, starts[next].packet == index {
                    frames.append(Frame(pts: Double(starts[next].pts) / 90_000, time: now))
                    next += 1
                } else if !frames.isEmpty {
                    frames[frames.count - 1].time = now
                }
            }
        }
    }
}

func percentile(_ values: [Double], _ share: Double) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
}
