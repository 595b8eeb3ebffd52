import Redaction

extension BoxConfiguration {
    /// Every value that must not be shown: what references lead to, stream ids, and what URLs have of passwords and keys.
    ///
    /// A secret that cannot be had just now is left out; whoever needs it says so.
    public func secretValues(environment: [String: String]) -> [String] {
        var values: [String] = []
        func add(_ reference: SecretReference?, as use: SecretUse) {
            guard let secret = try? reference?.resolve(environment: environment, as: use).reveal() else { return }
            values += URLMask.secrets(inKey: secret)
        }
        for channel in channels {
            for source in channel.sources {
                switch source.kind {
                case .rtmp(let rtmp): add(rtmp.key, as: .key)
                case .srt(let srt):
                    add(srt.passphrase, as: .passphrase)
                    values += [srt.streamid].compactMap(\.self)
                case .pull(let pull): values += URLMask.secrets(in: pull.url)
                case .capture, .raw, .file, .test: break
                }
            }
            for target in channel.groups.flatMap(\.targets) {
                switch target.destination {
                case .rtmp(let rtmp):
                    add(rtmp.key, as: .key)
                    values += URLMask.secrets(in: rtmp.url)
                case .srt(let srt):
                    add(srt.passphrase, as: .passphrase)
                    values += [srt.streamid].compactMap(\.self) + URLMask.secrets(in: srt.url)
                case .record: break
                }
            }
        }
        return values
    }
}
