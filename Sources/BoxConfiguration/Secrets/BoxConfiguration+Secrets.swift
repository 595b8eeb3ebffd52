import Redaction

extension BoxConfiguration {
    /// Every value that must not be shown: the secrets of the references, and the passwords and keys in URLs.
    ///
    /// A secret that cannot be read now is left out. The code that needs it reports that.
    ///
    /// - Parameter readsFiles: Whether secrets in files are included. If false, no disk is read.
    package func secretValues(environment: [String: String], readsFiles: Bool = true) -> [String] {
        secretReferences.flatMap { reference, use -> [String] in
            guard readsFiles || !reference.isOnDisk else { return [] }
            guard let secret = try? reference.resolve(environment: environment, as: use).reveal() else { return [] }
            // The parts of a stream id are usually names of cameras, which a log needs.
            return use == .streamid ? [secret] : URLMask.secrets(inKey: secret)
        } + channels.flatMap(urls).flatMap { URLMask.secrets(in: $0) }
    }

    private func urls(of channel: ChannelConfiguration) -> [String] {
        channel.sources.compactMap { if case .pull(let pull) = $0.kind { pull.url } else { nil } }
            + channel.groups.flatMap(\.targets).compactMap { target in
                switch target.destination {
                case .rtmp(let rtmp): rtmp.url
                case .srt(let srt): srt.url
                case .record: nil
                }
            }
    }
}
