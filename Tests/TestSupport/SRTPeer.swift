import Foundation

/// An FFmpeg as the other end of an SRT connection. Ends with its stage.
package struct SRTPeer: Sendable {
    package let port: Int
    package let program: TestProcess
    /// The MPEG-TS file that a listener writes; nil for a caller.
    package let file: String?
    /// The URL for the program under test, without a passphrase: `srt://127.0.0.1:PORT`.
    package var url: String { "srt://127.0.0.1:\(port)" }

    static func options(mode: String, passphrase: String?, latency: Duration) -> String {
        // FFmpeg takes the latency in microseconds.
        let micros = Int(latency.inSeconds * 1_000_000)
        let secret = passphrase.map { "&passphrase=\($0)" } ?? ""
        return "?mode=\(mode)&transtype=live&latency=\(micros)\(secret)"
    }
}

extension Stage {
    /// Listens for one SRT caller, and writes its stream to a file.
    ///
    /// - Parameter passphrase: 10 to 79 characters.
    package func srtListener(
        passphrase: String? = nil, latency: Duration = .milliseconds(120), port: Int? = nil
    ) async throws -> SRTPeer {
        let port = try port ?? FreePort.udp()
        let file = folder.path("srt-\(port).ts")
        let options = SRTPeer.options(mode: "listener", passphrase: passphrase, latency: latency)
        let program = try await program(
            "ffmpeg",
            [
                "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-y", "-copyts",
                "-f", "mpegts", "-i", "srt://127.0.0.1:\(port)\(options)", "-map", "0", "-c", "copy",
                "-f", "mpegts", "-mpegts_copyts", "1", "-muxdelay", "0", "-muxpreload", "0",
                "-flush_packets", "1", file,
            ])
        try await eventually("the SRT listener on \(port)", every: .milliseconds(10)) {
            if let ending = program.ending {
                throw Failed("the SRT listener \(ending): \(program.errors.text)")
            }
            return FreePort.isBound(udp: port)
        }
        return SRTPeer(port: port, program: program, file: file)
    }

    /// Calls an SRT listener, and sends it a numbered stream in real time.
    ///
    /// - Parameter streamID: A stream id without `&`, which would end it.
    package func srtCaller(
        _ source: NumberedSource, port: Int, passphrase: String? = nil, streamID: String? = nil,
        latency: Duration = .milliseconds(120)
    ) async throws -> SRTPeer {
        let options =
            SRTPeer.options(mode: "caller", passphrase: passphrase, latency: latency)
            + (streamID.map { "&streamid=\($0)" } ?? "")
        // libsrt gives up after 3 s, and a listener on a busy machine may take longer to answer.
        let url = "srt://127.0.0.1:\(port)\(options)&pkt_size=1316&connect_timeout=30000"
        let program = try await publish(source, to: url)
        return SRTPeer(port: port, program: program, file: nil)
    }
}
