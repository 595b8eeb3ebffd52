import CLinux
public import FFmpeg
import EncoderSelection
import Glibc
import SystemPackage

/// Runs a tenth of a second of each kind of command line with the real FFmpeg, so that an option that it refuses is known before a
/// process ends by it again and again.
public struct FFmpegSelfCheck: Sendable {
    private let ffmpeg: FFmpegBinary
    private let environment: [String: String]

    /// How long one command line may take. Its result is of no interest then: only a refusal is, which comes at once.
    private static let limit = Duration.seconds(10)
    private static let size = FrameSize(width: 64, height: 48)
    private static let rate = FrameRate(30)

    public init(ffmpeg: FFmpegBinary, environment: [String: String]) {
        self.ffmpeg = ffmpeg
        self.environment = environment
    }

    /// - Returns: What is refused, in the order of the stream; empty for an FFmpeg that takes everything.
    public func run() async -> [RefusedRole] {
        guard let folder = Self.temporaryFolder(environment) else { return [] }
        defer { Self.remove(folder) }
        let capabilities = ffmpeg.capabilities
        let settings = VideoSettings(bitrate: 200_000, keyframe: .milliseconds(500))
        var refused: [RefusedRole] = []
        func check(_ role: String, _ command: FFmpegCommand?, from input: MemoryFile? = nil, to output: MemoryFile? = nil) async {
            guard let command, let refusal = await refusal(of: command, from: input, to: output) else { return }
            // One refusal is one problem, whatever it hits.
            if let index = refused.firstIndex(where: { $0.refused == refusal }) { return refused[index].role += ", \(role)" }
            refused.append(RefusedRole(role: role, refused: refusal))
        }
        guard let media = MemoryFile("media"), let encoded = MemoryFile("encoded"), let frames = MemoryFile("frames", Self.frames) else { return [] }
        await check("test sources and sources in other codecs", try? RelayCommand(source: .test(size: Self.size, rate: Self.rate)).command(for: capabilities).limited(toSeconds: "0.2"), to: media)
        await check(
            "the slate",
            SlateCommand(picture: .plain, codec: .h264, size: Self.size, rate: Self.rate, profile: nil, frames: 2, output: "/dev/null").command())
        await check(
            "encoders of capture cards and raw frames",
            FrameEncoderCommand(settings: settings, recipe: Libx264Recipe(effort: .least), rate: Self.rate).command(for: capabilities), from: frames)
        // Without media there is nothing to send on; why there is none has been found out.
        guard !media.isEmpty else { return refused }
        let audio = AudioTreatment.aac(bitrate: 96_000, rate: 48_000, channels: 2)
        await check(
            "encoders",
            EncoderCommand(
                video: .encode(settings, with: Libx264Recipe()), audio: audio, inputRate: Self.rate, inputSize: Self.size,
                resume: ResumePoint(videoStart: 0, audioStart: 0)
            ).command(for: capabilities), from: media, to: encoded)
        await check("recordings", try? PublisherCommand(target: .record(folder: folder, name: "check", segment: .seconds(60), take: 0)).command(for: capabilities), from: media)
        // No server listens on that port: a refused option is reported before the refused connection.
        await check("RTMP targets", try? PublisherCommand(target: .rtmp(url: "rtmp://127.0.0.1:1/check", key: "check")).command(for: capabilities), from: media)
        if let recording = Self.contents(of: folder).first {
            await check("sources", try? RelayCommand(source: .file(path: "\(folder)/\(recording)", loop: false)).command(for: capabilities), to: encoded)
        }
        return refused
    }

    private func refusal(of command: FFmpegCommand, from input: MemoryFile?, to output: MemoryFile?) async -> String? {
        let ending = await BoundedChild.run(
            command, binary: ffmpeg, stdin: input?.reader, stdout: output?.writer, environment: environment, limit: Self.limit)
        guard ending.exit.cause == .unsupported else { return nil }
        return RefusedOption(ending.exit.log)?.description
    }

    /// Five grey pictures as a program would write them for a `raw` source: IVF, 90000 ticks a second.
    private static var frames: [UInt8] {
        func bytes(_ value: UInt64, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
        let picture = [UInt8](repeating: 128, count: size.width * size.height * 3 / 2)
        var file = Array("DKIF".utf8) + bytes(0, 2) + bytes(32, 2) + Array("NV12".utf8)
        file += bytes(UInt64(size.width), 2) + bytes(UInt64(size.height), 2) + bytes(90_000, 4) + bytes(1, 4) + bytes(0, 8)
        for index in 0..<5 { file += bytes(UInt64(picture.count), 4) + bytes(UInt64(index * 3000), 8) + picture }
        return file
    }

    // MARK: Files

    private static func temporaryFolder(_ environment: [String: String]) -> String? {
        var path = Array("\(environment["TMPDIR"] ?? "/tmp")/streambox-check-XXXXXX".utf8CString)
        return mkdtemp(&path).map { String(cString: $0) }
    }

    private static func contents(of folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ folder: String) {
        for name in contents(of: folder) { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
}

/// A file without a name, which one child writes and others read from its beginning.
private final class MemoryFile {
    private let descriptor: FileDescriptor

    init?(_ name: String, _ bytes: [UInt8] = []) {
        descriptor = FileDescriptor(rawValue: memfd_create(name, 1 /* MFD_CLOEXEC */))
        guard descriptor.rawValue >= 0, (try? descriptor.writeAll(bytes)) != nil else { return nil }
    }

    deinit { try? descriptor.close() }

    /// A descriptor of its own for a child that reads from the beginning.
    var reader: FileDescriptor? { try? FileDescriptor.open("/proc/self/fd/\(descriptor.rawValue)", .readOnly, options: .closeOnExec) }

    /// Likewise, for one that writes.
    var writer: FileDescriptor? { try? descriptor.duplicate() }

    var isEmpty: Bool { (try? descriptor.seek(offset: 0, from: .end)) ?? 0 == 0 }
}
