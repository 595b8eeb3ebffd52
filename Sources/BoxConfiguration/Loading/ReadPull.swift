import Redaction

extension ConfigurationReader {
    func pullSource(_ node: YAMLNode) -> PullSource? {
        guard
            let fields = fields(
                node, what: "a pull source",
                allowed: ["url", "passphrase", "streamid", "password", "tls", "transport", "program"])
        else { return nil }
        let address = url(fields, schemes: PullSource.schemes, example: "rtsp://camera/stream")
        // Also without a url: one pass finds every mistake.
        let passphrase = secret(fields, "passphrase", use: .passphrase)
        let streamid = secret(fields, "streamid", use: .streamid)
        let password = secret(fields, "password", use: .key)
        let transport = fields.word("transport", as: RTSPTransport.self)
        let program = program(fields)
        guard let (url, parts) = address else { return nil }
        if !parts.scheme.hasPrefix("rtsp") {
            refuse(["transport"], in: fields, of: Self.urlOf(parts.scheme), mend: "that is for rtsp urls")
        }
        if parts.scheme.hasPrefix("rtsp") || parts.scheme.hasPrefix("rtmp") {
            refuse(
                ["program"], in: fields, of: Self.urlOf(parts.scheme), mend: "that is for urls of a transport stream")
        } else if ["passphrase", "streamid", "password"].contains(where: fields.has) || URLMask.mask(url) != url {
            refuse(["program"], in: fields, of: "a pull source with a secret", mend: Self.noPrograms)
        }
        let place = fields.place(of: "url")
        if parts.scheme == "srt" {
            checkSRT(parts, owner: "the pull source", at: place)
            refuse(["password"], in: fields, of: "an srt url", mend: "SRT has passphrase: and streamid:")
            refuseTwice(["passphrase", "streamid"], in: fields, parts)
        } else {
            refuse(["passphrase", "streamid"], in: fields, of: Self.urlOf(parts.scheme), mend: "that is for srt urls")
            checkPassword(fields, parts)
        }
        if !ownerOnly { warnOfSecrets(fields, parts, at: place) }
        warnOfStrangers(fields, parts, at: place)
        return PullSource(
            url: url, passphrase: passphrase, streamid: streamid, password: password, tls: tls(fields, parts),
            transport: transport ?? .auto,
            program: program)
    }

    private static func urlOf(_ scheme: String) -> String { "\(scheme == "udp" ? "a" : "an") \(scheme) url" }

    private func checkPassword(_ fields: Fields, _ parts: URLParts) {
        guard let pair = fields["password"] else { return }
        if !PullSource.schemesWithPassword.contains(parts.scheme) {
            error(pair.keyPlace, "\(Self.urlOf(parts.scheme)) takes no password; that is for rtsp and http urls")
        } else if parts.hasPassword {
            error(pair.keyPlace, "password is given here and in the url; remove it from the url")
        } else if !parts.hasUserInfo {
            error(
                pair.keyPlace, "password is here, and the url names no user; write \(parts.scheme)://USER@\(parts.host)"
            )
        }
    }

    /// For a file that others can read.
    private func warnOfSecrets(_ fields: Fields, _ parts: URLParts, at place: SourceLocation) {
        var found: [String] = []
        var keys: [String] = []
        if parts.hasPassword {
            found.append("a password")
            if PullSource.schemesWithPassword.contains(parts.scheme) { keys.append("password") }
        } else if parts.hasUserInfo, !fields.has("password") {
            found.append("a user name, which may be a key,")
        }
        let named = parts.scheme == "srt" ? ["passphrase": "a passphrase", "streamid": "a stream id"] : [:]
        for key in named.keys.sorted() where parts.value(of: key) != nil {
            found.append(named[key]!)
            keys.append(key)
        }
        if parts.query.contains(where: { named[$0.name] == nil && Self.mayBeSecret($0.name, $0.value) }) {
            found.append("what may be a password or a key")
        }
        guard !found.isEmpty else { return }
        let mend =
            keys.isEmpty ? "" : "write it as \(keys.map { "\($0): { file: PATH }" }.joined(separator: " and ")), or "
        warning(
            place,
            """
            the url holds \(found.joined(separator: " and ")), and others can read this file; \(mend)run: chmod \
            600 \(file)
            """
        )
    }

    /// Whether a parameter of a query may be a secret: cameras are asked for `channel=1`, and FFmpeg for `tcp`.
    private static func mayBeSecret(_ name: String, _ value: String) -> Bool {
        if value.isEmpty { return !URLMask.isPlainWord(name) }
        let isSmallNumber = value.utf8.count <= 3 && value.allSatisfy { ("0"..."9").contains($0) }
        return !isSmallNumber && URLMask.hides(value, of: name)
    }

    /// Where the source waits for what is sent to it, and nobody has to show anything.
    private func warnOfStrangers(_ fields: Fields, _ parts: URLParts, at place: SourceLocation) {
        guard let port = parts.port else { return }
        func instead(_ address: SocketAddress) -> String {
            "srt: { listen: \"\(address)\", passphrase: { file: PATH } }"
        }
        switch parts.scheme {
        case "srt" where parts.value(of: "mode") == "listener":
            let address = SocketAddress(host: parts.host.isEmpty ? "0.0.0.0" : parts.host, port: port)
            guard !address.isLoopback, !fields.has("passphrase"), parts.value(of: "passphrase") == nil else { return }
            warning(
                place,
                """
                the pull source listens and has no passphrase, so whoever reaches \(address) is on air; write \
                \(instead(address)) in its place, or listen on 127.0.0.1
                """
            )
        case "udp", "rtp":
            let named = SocketAddress(host: parts.host, port: port)
            // FFmpeg looks at the host of what it receives for a group that it is to join, and for nothing else.
            let address = SocketAddress(
                host: parts.value(of: "localaddr") ?? (parts.host.contains(":") ? "::" : "0.0.0.0"), port: port)
            let isConnected = !parts.host.isEmpty && !["", "0"].contains(parts.value(of: "connect") ?? "")
            guard !address.isLoopback, !named.isMulticast, !isConnected, (parts.value(of: "sources") ?? "").isEmpty
            else { return }
            let mend =
                named.isLoopback
                ? "add localaddr=\(parts.host == "::1" ? "::1" : "127.0.0.1") to the url"
                : "add sources=ADDRESS of the sender to the url, or have it sent by SRT to \(instead(address))"
            warning(
                place,
                """
                the pull source listens on \(address), whatever host the url names, and \(parts.scheme) knows no \
                key, so whoever reaches it is on air; \(mend)
                """
            )
        default: break
        }
    }
}
