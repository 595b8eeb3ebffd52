import Foundation
import Synchronization

/// An RTSP camera on 127.0.0.1 that sends by UDP alone, and refuses a client that asks for TCP.
///
/// It plays one second of numbered video again and again, with growing timestamps. It accepts clients until its last
/// reference goes, and serves each client until it disconnects.
package final class UDPCamera: Sendable {
    package let url: String
    private let listener: LoopbackSocket
    private let setups = Setups()

    /// The answer to a client that asks for TCP, as real cameras give it.
    package enum Refusal: String, Sendable, CaseIterable {
        case unsupportedTransport = "461 Unsupported Transport"
        case badRequest = "400 Bad Request"
        case aggregateOperation = "459 Aggregate Operation Not Allowed"
        case serverError = "500 Internal Server Error"
        /// The camera answers that it will send by UDP.
        case otherTransport = "200 OK"
    }

    /// - Parameter lasting: The time after PLAY at which it closes the connection; `nil` for never.
    /// - Throws: `Failed` if there is no port, or FFmpeg cannot make the video.
    package init(refusal: Refusal = .unsupportedTransport, lasting: Duration? = nil) async throws {
        let video = try await CameraVideo()
        let listener = try LoopbackSocket(Int32(SOCK_STREAM.rawValue))
        guard listen(listener.descriptor, 8) == 0 else { throw Failed("the camera cannot listen: \(errnoText())") }
        self.listener = listener
        url = "rtsp://127.0.0.1:\(listener.port)/camera"
        let setups = setups
        Thread.detachNewThread {
            while true {
                let client = accept(listener.descriptor, nil, nil)
                if client < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard client >= 0 else { return }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                Thread.detachNewThread {
                    defer { close(client) }
                    guard let media = try? LoopbackSocket.adjoiningPair() else { return }
                    var session = CameraSession(
                        client: client, media: media, video: video, setups: setups, refusal: refusal, lasting: lasting)
                    session.serve()
                }
            }
        }
    }

    /// Ends the wait for clients; the thread that accepts them closes the socket.
    deinit { shutdown(listener.descriptor, Int32(SHUT_RDWR)) }

    /// The `Transport` of every SETUP so far, such as `RTP/AVP/TCP;unicast;interleaved=0-1`.
    package var transports: [String] { setups.all }
}

private final class Setups: Sendable {
    private let transports = Mutex<[String]>([])

    var all: [String] { transports.withLock { $0 } }
    func note(_ transport: String) { transports.withLock { $0.append(transport) } }
}

/// The session of one client.
private struct CameraSession {
    let client: Int32
    let media: MediaPair
    let video: CameraVideo
    let setups: Setups
    let refusal: UDPCamera.Refusal
    let lasting: Duration?
    /// When PLAY came.
    var began: ContinuousClock.Instant?
    /// The number of sent frames, and the number of the next packet.
    var frames = 0
    var sequence: UInt16 = 1

    /// Answers requests, and sends frames at their times in between.
    mutating func serve() {
        var unread = ""
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            var readable = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
            let count = poll(&readable, 1, milliseconds)
            guard count >= 0 || errno == EINTR else { return }
            if count > 0 {
                let length = recv(client, &piece, piece.count, 0)
                guard length > 0 else { return }
                unread += String(decoding: piece[..<length], as: UTF8.self)
                while let end = unread.range(of: "\r\n\r\n") {
                    let bytes = Array(answer(String(unread[..<end.lowerBound])).utf8)
                    unread.removeSubrange(..<end.upperBound)
                    guard send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return }
                }
            }
            if let due, due <= .now { sendFrame() }
            if let began, let lasting, .now - began >= lasting { return }
        }
    }

    /// When the next frame is due; `nil` before PLAY.
    private var due: ContinuousClock.Instant? {
        guard let began else { return nil }
        return began + Duration.seconds(frames) / CameraVideo.rate
    }

    /// How long to wait for a request, in milliseconds; -1 for no limit.
    private var milliseconds: Int32 {
        guard let due else { return -1 }
        return Int32(max(0, (due - .now).inSeconds * 1000).rounded(.up))
    }

    private mutating func answer(_ request: String) -> String {
        let lines = request.split(whereSeparator: \.isNewline).map(String.init)
        func header(_ name: String) -> String {
            let line = lines.first { $0.lowercased().hasPrefix("\(name):") } ?? ""
            return line.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
        }
        var status = "200 OK"
        var headers = ["CSeq: \(header("cseq"))"]
        var body = ""
        switch lines.first?.split(separator: " ").first.map(String.init) ?? "" {
        case "OPTIONS":
            headers.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        case "DESCRIBE":
            body = video.description
            headers += ["Content-Type: application/sdp", "Content-Length: \(body.utf8.count)"]
        case "SETUP":
            let transport = header("transport")
            setups.note(transport)
            if !transport.hasPrefix("RTP/AVP/TCP"), let match = transport.firstMatch(of: /client_port=(\d+)/),
                let port = Int(match.1), media.rtp.aim(at: port)
            {
                let ports = "client_port=\(port)-\(port + 1);server_port=\(media.rtp.port)-\(media.rtcp.port)"
                headers += ["Transport: RTP/AVP;unicast;\(ports)", "Session: 1"]
            } else {
                status = refusal.rawValue
                if refusal == .otherTransport {
                    let ports = "client_port=5000-5001;server_port=\(media.rtp.port)-\(media.rtcp.port)"
                    headers += ["Transport: RTP/AVP;unicast;\(ports)", "Session: 1"]
                }
            }
        case "PLAY":
            headers.append("Session: 1")
            began = .now
        case "TEARDOWN":
            headers.append("Session: 1")
            began = nil
        default:
            status = "501 Not Implemented"
        }
        return "RTSP/1.0 \(status)\r\n" + headers.map { "\($0)\r\n" }.joined() + "\r\n" + body
    }

    private mutating func sendFrame() {
        let units = video.frames[frames % video.frames.count]
        let payloads = units.flatMap { CameraVideo.payloads(of: $0) }
        // FFmpeg reads a timestamp of 0 as none.
        let time = UInt32(truncatingIfNeeded: 90_000 + frames * 90_000 / CameraVideo.rate)
        for (index, payload) in payloads.enumerated() {
            // Payload type 96; the last packet of a frame has the marker bit.
            var packet: [UInt8] = [0x80, index == payloads.count - 1 ? 0xE0 : 0x60]
            packet += withUnsafeBytes(of: sequence.bigEndian) { Array($0) }
            packet += withUnsafeBytes(of: time.bigEndian) { Array($0) }
            // The SSRC, any number.
            packet += [0, 0, 0, 1]
            packet += payload
            // The RTSP connection shows when a client has disconnected.
            _ = send(media.rtp.descriptor, packet, packet.count, Int32(MSG_NOSIGNAL))
            sequence &+= 1
        }
        frames += 1
    }
}

/// A second of H.264.
private struct CameraVideo: Sendable {
    static let rate = 30
    /// The most bytes of a NAL unit in one packet.
    private static let longest = 1200

    /// The NAL units of each frame.
    private(set) var frames: [[[UInt8]]] = []
    /// The SDP description.
    let description: String

    init() async throws {
        let source = NumberedSource.with {
            $0.width = 320
            $0.height = 180
            $0.duration = .seconds(1)
            $0.rate = Self.rate
            $0.audio = .none
            // Keyframes need several packets.
            $0.picture = .busy
        }
        let output = NumberedSource.Output(format: "h264", target: "pipe:1")
        let stream = try await TestProcess.run("ffmpeg", source.arguments(to: output)).success("the camera's video")
            .output
        let units = Self.units(of: stream)
        let sets = units.filter { [7, 8].contains($0[0] & 0x1F) }.map { Data($0).base64EncodedString() }
        description = [
            "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0",
            "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000",
            "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=\(sets.joined(separator: ","))", "a=control:video",
        ].map { "\($0)\r\n" }.joined()
        var frame: [[UInt8]] = []
        for unit in units {
            frame.append(unit)
            // Each frame is one slice.
            guard [1, 5].contains(unit[0] & 0x1F) else { continue }
            frames.append(frame)
            frame = []
        }
        guard sets.count == 2, frames.count == Self.rate else {
            throw Failed("the camera's video has \(sets.count) parameter sets and \(frames.count) frames")
        }
    }

    /// The NAL units of an Annex B stream.
    private static func units(of stream: [UInt8]) -> [[UInt8]] {
        var units: [[UInt8]] = []
        var start: Int?
        var zeros = 0
        for (index, byte) in stream.enumerated() {
            if byte == 1, zeros >= 2 {
                if let start { units.append(Array(stream[start..<index - zeros])) }
                start = index + 1
            }
            zeros = byte == 0 ? zeros + 1 : 0
        }
        if let start { units.append(Array(stream[start...])) }
        return units
    }

    /// The RTP payloads of a NAL unit: a small one as it is, a larger one in fragments (FU-A).
    static func payloads(of unit: [UInt8]) -> [[UInt8]] {
        guard unit.count > longest else { return [unit] }
        return stride(from: 1, to: unit.count, by: longest).map { start -> [UInt8] in
            let end = min(start + longest, unit.count)
            let isFirst: UInt8 = start == 1 ? 0x80 : 0
            let isLast: UInt8 = end == unit.count ? 0x40 : 0
            let head: [UInt8] = [unit[0] & 0xE0 | 28, unit[0] & 0x1F | isFirst | isLast]
            return head + unit[start..<end]
        }
    }
}

private typealias MediaPair = (rtp: LoopbackSocket, rtcp: LoopbackSocket)

/// A socket that is bound to 127.0.0.1, closed with its last reference.
private final class LoopbackSocket: Sendable {
    let descriptor: Int32
    let port: Int

    /// - Parameters:
    ///   - type: `SOCK_STREAM` or `SOCK_DGRAM`.
    ///   - wanted: The port; 0 for the kernel's choice.
    init(_ type: Int32, port wanted: Int = 0) throws {
        let descriptor = socket(AF_INET, type | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failed("no socket: \(errnoText())") }
        var address = loopback(port: wanted)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else {
            let reason = errnoText()
            close(descriptor)
            throw Failed("no port \(wanted): \(reason)")
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }

    /// Opens two UDP sockets: a client sends its reports to the port after that of the media.
    static func adjoiningPair() throws -> MediaPair {
        let type = Int32(SOCK_DGRAM.rawValue)
        for _ in 0..<50 {
            let rtp = try LoopbackSocket(type)
            if let rtcp = try? LoopbackSocket(type, port: rtp.port + 1) { return (rtp, rtcp) }
        }
        throw Failed("no two adjoining UDP ports are free")
    }

    /// Sets the destination of the socket: a port of 127.0.0.1.
    func aim(at port: Int) -> Bool {
        var address = loopback(port: port)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
