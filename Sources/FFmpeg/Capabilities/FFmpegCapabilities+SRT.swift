import Redaction

extension FFmpegCapabilities {
    /// A parameter in an SRT address: `latency=200000`.
    package struct SRTParameter: Sendable, Hashable {
        package var name: String
        package var value: String

        /// The name, for display. `nil` if it may be a misplaced secret.
        package var shownName: String? {
            !value.isEmpty && URLMask.mask("srt://h?\(name)=x").hasPrefix("srt://h?\(name)=") ? name : nil
        }
    }

    /// Whether an unknown parameter in an SRT address ends the process. FFmpeg before 9 ignores it
    /// (libavformat/libsrt.c). A build that prints no version number counts as new.
    package var refusesUnknownSRTParameters: Bool {
        version.equivalent.map { $0 >= FFmpegVersion.Release(major: 9, minor: 0) } ?? true
    }

    /// The unknown parameters of an SRT address, in their order. Empty for another kind of address, and if the options
    /// of this FFmpeg are unknown.
    package func unknownSRTParameters(of url: String) -> [SRTParameter] {
        guard !srtOptions.isEmpty, let address = try? MediaAddress(url), address.scheme == "srt" else { return [] }
        return address.parameters.filter { !srtOptions.contains($0.name) }.map {
            SRTParameter(name: $0.name, value: $0.value)
        }
    }
}
