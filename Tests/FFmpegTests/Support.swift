import FFmpeg
import Glibc
import Redaction
import Subprocess
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// The environment of the test run.
let testEnvironment: [String: String] = {
    var result: [String: String] = [:]
    var entry = environ
    while let line = entry.pointee {
        let text = String(cString: line)
        if let mark = text.firstIndex(of: "=") {
            result[String(text[..<mark])] = String(text[text.index(after: mark)...])
        }
        entry += 1
    }
    return result
}()

/// A folder that is removed with the test.
final class Scratch: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/streambox-ffmpeg-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { Self.removeTree(path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] { Self.names(path) }

    static func names(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func removeTree(_ path: String) {
        for name in names(path) where unlink("\(path)/\(name)") != 0 { removeTree("\(path)/\(name)") }
        rmdir(path)
    }
}

func write(_ text: String, to path: String, mode: FilePermissions = [.ownerReadWrite]) throws {
    let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: mode)
    defer { try? file.close() }
    _ = try file.writeAll(text.utf8)
}

func write(_ bytes: [UInt8], to path: String) throws {
    let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
    defer { try? file.close() }
    _ = try file.writeAll(bytes)
}

func contents(_ path: String) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    defer { try? file.close() }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}

/// Runs a program of the laboratory to its end.
@discardableResult
func tool(_ name: String, _ arguments: [String]) async throws -> String {
    let result = try await Subprocess.run(
        .name(name), arguments: Arguments(arguments), output: .string(limit: 1 << 24),
        error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
        Issue.record("\(name) \(arguments): \(result.standardError)")
        return ""
    }
    return result.standardOutput
}

struct Packet: Equatable {
    var pts: Int64
    var isKey: Bool
}

/// The packets of one stream in the file's order.
func packets(_ path: String, _ stream: String) async throws -> [Packet] {
    let text = try await tool(
        "ffprobe",
        ["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts,flags", "-of", "csv=p=0", path])
    return text.split(separator: "\n").compactMap { line in
        let fields = line.split(separator: ",")
        guard fields.count >= 2, let pts = Int64(fields[0]) else { return nil }
        return Packet(pts: pts, isKey: fields[1].contains("K"))
    }
}

/// 30 fps with audio first, on a timeline that begins at 5000 s, in the FLV's milliseconds: nothing is on a grid.
func makeSource(_ path: String, seconds: Int = 6, size: String = "320x180", start: Int = 5000) async throws {
    let flv = path + ".flv"
    defer { unlink(flv) }
    try await tool(
        "ffmpeg",
        [
            "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=s=\(size):r=30", "-f", "lavfi", "-i",
            "sine=440:r=48000", "-t", "\(seconds)", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
            "-g", "15", "-b:v", "500k", "-pix_fmt", "yuv420p", "-c:a", "aac", flv,
        ])
    try await tool(
        "ffmpeg",
        [
            "-v", "error", "-nostdin", "-y", "-i", flv, "-c", "copy", "-f", "mpegts", "-mpegts_copyts", "1",
            "-output_ts_offset", "\(start)", "-muxdelay", "0", "-muxpreload", "0", path,
        ])
}

/// Two seconds of 25 interlaced frames a second, top field first, without audio: bars that move from field to field.
///
/// - Parameter codec: Options of the encoder.
func makeInterlaced(_ path: String, codec: [String]) async throws {
    try await tool(
        "ffmpeg",
        [
            "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i",
            "nullsrc=s=320x288:r=50,geq=lum='if(lt(mod(X+8*N,64),32),235,16)':cb=128:cr=128",
            "-t", "2", "-vf", "tinterlace=interleave_top,setfield=tff",
        ] + codec + [
            "-flags", "+ildct+ilme", "-bf", "0", "-g", "12", "-f", "mpegts", "-muxdelay", "0", "-muxpreload", "0", path,
        ])
}

let interlacedH264 = ["-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "tff=1", "-pix_fmt", "yuv420p"]

/// Frames that are marked as interlaced.
func interlacedFrames(_ path: String) async throws -> Int {
    try await tool(
        "ffprobe",
        ["-v", "error", "-select_streams", "v", "-show_entries", "frame=interlaced_frame", "-of", "csv=p=0", path]
    )
    .split(separator: "\n").count { $0.hasPrefix("1") }
}

/// Frames that look interlaced, whatever their marks.
func combedFrames(_ path: String) async throws -> Int {
    let text = try await tool(
        "ffmpeg",
        [
            "-v", "error", "-nostdin", "-i", path, "-vf",
            "idet,metadata=mode=print:file=-:key=lavfi.idet.single.current_frame", "-f", "null", "-",
        ])
    return text.split(separator: "\n").count { $0.hasSuffix("=tff") || $0.hasSuffix("=bff") }
}

/// Events of a child, in order.
final class Recorder: Sendable {
    private let events = Mutex<[ChildEvent]>([])
    let stream: AsyncStream<ChildEvent>
    private let continuation: AsyncStream<ChildEvent>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func note(_ event: ChildEvent) {
        events.withLock { $0.append(event) }
        continuation.yield(event)
    }

    var all: [ChildEvent] { events.withLock { $0 } }

    var pid: Int32? {
        for case .started(let pid) in all { return pid }
        return nil
    }
}

/// Frames that begin in a transport stream as our processes write it, also in one that is still being written.
func pictures(in stream: [UInt8]) -> Int {
    stride(from: 0, to: stream.count - 187, by: 188).count { stream[$0 + 1] == 0x41 && stream[$0 + 2] == 0x00 }
}

func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

func commandLine(_ pid: Int32) -> [String] {
    ((try? contents("/proc/\(pid)/cmdline")) ?? []).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
}

/// A port that was free a moment ago.
func freePort(udp: Bool = false) -> UInt16 {
    let descriptor = socket(AF_INET, Int32(udp ? SOCK_DGRAM.rawValue : SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = bind(descriptor, $0, length)
            _ = getsockname(descriptor, $0, &length)
        }
    }
    return UInt16(bigEndian: address.sin_port)
}

/// Whether a program listens there. It does not connect, because FFmpeg's listener serves one peer only.
func isBound(_ port: UInt16, udp: Bool = false) -> Bool {
    guard let table = try? contents(udp ? "/proc/net/udp" : "/proc/net/tcp") else { return false }
    let hex = String(port, radix: 16, uppercase: true)
    let mark = ":" + String(repeating: "0", count: 4 - hex.count) + hex
    return String(decoding: table, as: UTF8.self).split(separator: "\n").contains { line in
        let fields = line.split(separator: " ")
        return fields.count > 3 && fields[1].hasSuffix(mark) && (udp || fields[3] == "0A")
    }
}

/// The installed FFmpeg. On a machine that is busy with tests it may take its time to answer.
func ffmpeg() async throws -> FFmpegBinary { try await located.value.binary }

private let located = Task {
    try await FFmpegBinary.locate(nil, environment: testEnvironment, limit: Limit.seconds(60))
}

extension FFmpegCapabilities {
    /// A complete build of a release.
    static func release(_ number: String) -> FFmpegCapabilities {
        .complete(FFmpegVersion(output: "ffmpeg version \(number) Copyright")!)
    }
    static let debian12 = release("5.1.9-0+deb12u1")

    /// The same without some filters, and with others.
    func without(_ missing: Set<String>, with more: Set<String> = []) -> FFmpegCapabilities {
        FFmpegCapabilities(
            version: version, encoders: encoders, decoders: decoders, filters: filters.subtracting(missing).union(more),
            bitstreamFilters: bitstreamFilters, inputProtocols: inputProtocols, outputProtocols: outputProtocols,
            demuxers: demuxers, muxers: muxers, options: options, srtOptions: srtOptions, rtspOptions: rtspOptions,
            x265Options: x265Options, hwaccels: hwaccels, acceptsRateWithPassthrough: acceptsRateWithPassthrough,
            presetReachesOutput: presetReachesOutput)
    }
}

extension ChildExit {
    /// Its messages, without those of every healthy run.
    var words: [String] { log.lines.filter { !FFmpegNoise.contains(LogLine(level: .warning, text: $0)) } }
}

/// Runs a command with files for its pipes.
func run(
    _ command: FFmpegCommand, in scratch: Scratch, from input: String? = nil, to output: String? = nil,
    handle: ChildHandle = ChildHandle(), redactor: Redactor = Redactor(), recorder: Recorder = Recorder(),
    clock: some Clock<Duration> = ContinuousClock()
) async throws -> ChildExit {
    let binary = try await ffmpeg()
    return await ChildProcess.run(
        command, binary: binary,
        stdin: try input.map { try FileDescriptor.open($0, .readOnly, options: .closeOnExec) },
        stdout: try output.map {
            try FileDescriptor.open(
                $0, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
        },
        environment: testEnvironment, redactor: redactor, handle: handle, clock: clock,
        onEvent: { recorder.note($0) })
}

/// A clock on which time never passes: a child that is stopped may take as long as it needs.
struct StoppedClock: Clock {
    typealias Instant = ContinuousClock.Instant
    var now: Instant { ContinuousClock.now }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await ContinuousClock().sleep(for: .seconds(100_000))
    }
}

/// Writes media slowly enough that the reader meets its peer's answer, until the end or until the reader has ended.
func trickle(_ media: [UInt8], into pipe: FileDescriptor) async throws {
    signal(SIGPIPE, SIG_IGN)
    defer { try? pipe.close() }
    for start in stride(from: 0, to: media.count, by: 188 * 100) {
        guard (try? await onOwnThread { try pipe.writeAll(media[start..<min(media.count, start + 188 * 100)]) }) != nil
        else { return }
        try await Task.sleep(for: .milliseconds(100))
    }
}

/// Runs a command whose input arrives slowly.
func run(_ command: FFmpegCommand, in scratch: Scratch, trickling media: [UInt8]) async throws -> ChildExit {
    let (childInput, ours) = try FileDescriptor.pipe()
    // Another child must not inherit our end, or this one would never see the end of its input.
    for end in [childInput, ours] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
    let binary = try await ffmpeg()
    async let exit = ChildProcess.run(
        command, binary: binary, stdin: childInput, stdout: nil,
        environment: testEnvironment, onEvent: { _ in })
    try await trickle(media, into: ours)
    return await exit
}

extension FFmpegCommand {
    /// As `streambox plan` shows it.
    func maskedLine() -> String { Self.shellLine(maskedArguments()) }
}
