import Redaction

extension BoxConfiguration {
    /// Every value that must not be shown: what references lead to, and what URLs have of passwords and keys.
    ///
    /// A secret that cannot be had just now is left out; whoever needs it says so.
    ///
    /// - Parameter readsFiles: Also those that stand in files. Without it no disk is touched.
    package func secretValues(environment: [String: String], readsFiles: Bool = true) -> [String] {
        secretReferences.flatMap { reference, use -> [String] in
            guard readsFiles || !reference.isOnDisk else { return [] }
            guard let secret = try? reference.resolve(environment: environment, as: use).reveal() else { return [] }
            // The parts of a stream id are names of cameras as a rule, which a log needs.
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
