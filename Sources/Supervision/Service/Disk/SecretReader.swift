import BoxConfiguration

/// Reads the secrets of the configuration each time that they are needed, through ``Disk``.
struct SecretReader: Sendable {
    /// The service's environment.
    var environment: [String: String]
    var disk: Disk

    /// - Throws: ``SecretError``
    func secret(_ reference: SecretReference, as use: SecretUse) async throws(SecretError) -> Secret {
        try await disk.secret(reference, as: use, environment: environment)
    }

    /// A source with the secrets of its relay in place of their references. The key of an RTMP source and the stream id
    /// of an SRT source are left out, because the service checks those itself.
    func filled(_ source: SourceConfiguration) async throws(SecretError) -> SourceConfiguration {
        var filled = source
        switch source.kind {
        case .srt(var srt):
            srt.passphrase = try await literal(srt.passphrase, as: .passphrase)
            srt.streamid = nil
            filled.kind = .srt(srt)
        case .pull(var pull):
            pull.passphrase = try await literal(pull.passphrase, as: .passphrase)
            pull.streamid = try await literal(pull.streamid, as: .streamid)
            pull.password = try await literal(pull.password, as: .key)
            filled.kind = .pull(pull)
        case .rtmp, .capture, .raw, .file, .test: break
        }
        return filled
    }

    /// A target with its secrets in place of their references.
    func filled(_ target: TargetConfiguration) async throws(SecretError) -> TargetConfiguration {
        var filled = target
        switch target.destination {
        case .rtmp(var rtmp):
            rtmp.key = try await literal(rtmp.key, as: .key)
            filled.destination = .rtmp(rtmp)
        case .srt(var srt):
            srt.passphrase = try await literal(srt.passphrase, as: .passphrase)
            srt.streamid = try await literal(srt.streamid, as: .streamid)
            filled.destination = .srt(srt)
        case .record: break
        }
        return filled
    }

    private func literal(
        _ reference: SecretReference?, as use: SecretUse
    ) async throws(SecretError) -> SecretReference? {
        guard let reference, reference.isOnDisk else { return reference }
        return .literal(try await secret(reference, as: use))
    }
}
