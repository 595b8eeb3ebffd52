import Redaction

extension ConfigurationReader {
    func pullSource(_ node: YAMLNode) -> PullSource? {
        guard
            let fields = fields(
                node, what: "a pull source",
                allowed: ["url", "passphrase", "streamid", "password", "tls", "transport", "program"])
        else { return nil }
        let address = url(fields, schemes: PullSource.schemes, example: "rtsp://camera/stream")
        // Read even without a url, so that one pass finds every mistake.
        let passphrase = secret(fields, "passphrase", use: .passphrase)
        let streamid = secret(fields, "streamid", use: .streamid)
        let password = secret(fields, "password", use: .key)
        let transport = fields.word("transport", as: RTSPTransport.self)
        let program = program(fields)
        guard let (url, parts) = address else { return nil }
        if !parts.scheme.hasPrefix("rtsp") {
            refuse(["transport"], in: fields, of: Self.urlOf(parts.scheme), fix: "that is for rtsp urls")
        }
        if parts.scheme.hasPrefix("rtsp") || parts.scheme.hasPrefix("rtmp") {
            refuse(
                ["program"], in: fields, of: Self.urlOf(parts.scheme), fix: "that is for urls of a transport stream")
        } else if ["passphrase", "streamid", "password"].contains(where: fields.has) || URLMask.mask(url) != url {
            refuse(["program"], in: fields, of: "a pull source with a secret", fix: Self.noPrograms)
        }
        let location = fields.location(of: "url")
        if parts.scheme == "srt" {
            checkSRT(parts, owner: "the pull source", at: location)
            refuse(["password"], in: fields, of: "an srt url", fix: "SRT has passphrase: and streamid:")
            refuseTwice(["passphrase", "streamid"], in: fields, parts)
        } else {
            refuse(["passphrase", "streamid"], in: fields, of: Self.urlOf(parts.scheme), fix: "that is for srt urls")
            checkPassword(fields, parts)
        }
        if !ownerOnly { warnOfSecrets(fields, parts, at: location) }
        warnOfStrangers(fields, parts, at: location)
        return PullSource(
            url: url, passphrase: passphrase, streamid: streamid, password: password, tls: tls(fields, parts),
            transport: transport ?? .auto,
            program: program)
    }

    private static func urlOf(_ scheme: String) -> String { "\(scheme == "udp" ? "a" : "an") \(scheme) url" }

    private func checkPassword(_ fields: Fields, _ parts: URLParts) {
        guard let pair = fields["password"] else { return }
        if !PullSource.schemesWithPassword.contains(parts.scheme) {
            error(pair.keyLocation, "\(Self.urlOf(parts.scheme)) takes no password; that is for rtsp and http urls")
        } else if parts.hasPassword {
            error(pair.keyLocation, "password is given here and in the url; remove it from the url")
        } else if !parts.hasUserInfo {
            error(
                pair.keyLocation,
                """
                password is given, but the url has no user name; write \(parts.scheme)://USER@\(parts.host)
                """
            )
        }
    }

    /// Warns of secrets in a file that other users can read.
    private func warnOfSecrets(_ fields: Fields, _ parts: URLParts, at location: FileLocation) {
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
            found.append("a value that may be a password or a key")
        }
        guard !found.isEmpty else { return }
        let fix =
            keys.isEmpty ? "" : "write it as \(keys.map { "\($0): { file: PATH }" }.joined(separator: " and ")), or "
        warning(
            location,
            """
            the url holds \(found.joined(separator: " and ")), and other users can read this file; \(fix)run: chmod \
            600 \(file)
            """
        )
    }

    /// Whether a parameter of a query may be a secret. `channel=1`, for a camera, and `tcp`, for FFmpeg, are not.
    private static func mayBeSecret(_ name: String, _ value: String) -> Bool {
        if value.isEmpty { return !URLMask.isPlainWord(name) }
        let isSmallNumber = value.utf8.count <= 3 && value.allSatisfy { ("0"..."9").contains($0) }
        return !isSmallNumber && URLMask.hides(value, of: name)
    }

    /// Warns of a source that listens and accepts a stream from any sender.
    private func warnOfStrangers(_ fields: Fields, _ parts: URLParts, at location: FileLocation) {
        guard let port = parts.port else { return }
        func instead(_ address: SocketAddress) -> String {
            "srt: { listen: \"\(address)\", passphrase: { file: PATH } }"
        }
        switch parts.scheme {
        case "srt" where parts.value(of: "mode") == "listener":
            let address = SocketAddress(host: parts.host.isEmpty ? "0.0.0.0" : parts.host, port: port)
            guard !address.isLoopback, !fields.has("passphrase"), parts.value(of: "passphrase") == nil else { return }
            warning(
                location,
                """
                the pull source listens and has no passphrase, so any client that reaches \(address) goes on air; \
                write \(instead(address)) in its place, or listen on 127.0.0.1
                """
            )
        case "udp", "rtp":
            let named = SocketAddress(host: parts.host, port: port)
            // FFmpeg uses the host of such a url only to join a multicast group, and otherwise listens on every
            // address.
            let address = SocketAddress(
                host: parts.value(of: "localaddr") ?? (parts.host.contains(":") ? "::" : "0.0.0.0"), port: port)
            let isConnected = !parts.host.isEmpty && !["", "0"].contains(parts.value(of: "connect") ?? "")
            guard !address.isLoopback, !named.isMulticast, !isConnected, (parts.value(of: "sources") ?? "").isEmpty
            else { return }
            let fix =
                named.isLoopback
                ? "add localaddr=\(parts.host == "::1" ? "::1" : "127.0.0.1") to the url"
                : "add sources=ADDRESS of the sender to the url, or let the sender use SRT to \(instead(address))"
            warning(
                location,
                """
                the pull source listens on \(address), whatever host the url names, and \(parts.scheme) knows no \
                key, so any client that reaches it goes on air; \(fix)
                """
            )
        default: break
        }
    }
}
