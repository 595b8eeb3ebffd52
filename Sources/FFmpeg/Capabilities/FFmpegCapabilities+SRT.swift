import Redaction

extension FFmpegCapabilities {
    /// A parameter in an SRT address: `latency=200000`.
    package struct SRTParameter: Sendable, Hashable {
        package var name: String
        package var value: String

        /// Its name, for people; `nil` where it may be a secret in the wrong place.
        package var shownName: String? {
            !value.isEmpty && URLMask.mask("srt://h?\(name)=x").hasPrefix("srt://h?\(name)=") ? name : nil
        }
    }

    /// An SRT address with a parameter that is none ends the process. FFmpeg before 9 looks over it
    /// (libavformat/libsrt.c); a build that tells no number at all is taken for a new one.
    package var refusesUnknownSRTParameters: Bool {
        version.equivalent.map { $0 >= FFmpegVersion.Release(major: 9, minor: 0) } ?? true
    }

    /// What an SRT address has for parameters that are none, in their order; nothing where the address is another, or
    /// nothing is known.
    package func unknownSRTParameters(of url: String) -> [SRTParameter] {
        guard !srtOptions.isEmpty, let address = try? MediaAddress(url), address.scheme == "srt" else { return [] }
        return address.parameters.filter { !srtOptions.contains($0.name) }.map {
            SRTParameter(name: $0.name, value: $0.value)
        }
    }
}
