extension BoxConfiguration {
    /// The environment variables that hold secrets, in the order of the file.
    package var secretVariables: [String] {
        secretReferences.compactMap { if case .env(let name) = $0.reference { name } else { nil } }
    }

    /// Every secret that the file names, with its use, in the order of the file.
    var secretReferences: [(reference: SecretReference, use: SecretUse)] {
        var found: [(reference: SecretReference, use: SecretUse)] = []
        func add(_ reference: SecretReference?, as use: SecretUse) {
            if let reference { found.append((reference, use)) }
        }
        for channel in channels {
            for source in channel.sources {
                switch source.kind {
                case .rtmp(let rtmp): add(rtmp.key, as: .key)
                case .srt(let srt):
                    add(srt.passphrase, as: .passphrase)
                    add(srt.streamid, as: .streamid)
                case .pull(let pull):
                    add(pull.passphrase, as: .passphrase)
                    add(pull.streamid, as: .streamid)
                    add(pull.password, as: .key)
                case .capture, .raw, .file, .test: break
                }
            }
            for target in channel.groups.flatMap(\.targets) {
                switch target.destination {
                case .rtmp(let rtmp): add(rtmp.key, as: .key)
                case .srt(let srt):
                    add(srt.passphrase, as: .passphrase)
                    add(srt.streamid, as: .streamid)
                case .record: break
                }
            }
        }
        return found
    }
}
