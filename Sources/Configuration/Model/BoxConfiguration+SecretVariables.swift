extension BoxConfiguration {
    /// The environment variables that hold secrets, in the order of the file.
    public var secretVariables: [String] {
        var references: [SecretReference?] = []
        for channel in channels {
            for source in channel.sources {
                switch source.kind {
                case .rtmp(let rtmp): references.append(rtmp.key)
                case .srt(let srt): references.append(srt.passphrase)
                case .pull, .capture, .raw, .file, .test: break
                }
            }
            for target in channel.groups.flatMap(\.targets) {
                switch target.destination {
                case .rtmp(let rtmp): references.append(rtmp.key)
                case .srt(let srt): references.append(srt.passphrase)
                case .record: break
                }
            }
        }
        return references.compactMap { if case .env(let name)? = $0 { name } else { nil } }
    }
}
