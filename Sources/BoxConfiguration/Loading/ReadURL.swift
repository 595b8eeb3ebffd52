import Redaction

extension ConfigurationReader {
    /// Reads the `url` of `fields`, and checks its scheme and its host.
    func url(_ fields: Fields, schemes: [String], example: String) -> (String, URLParts)? {
        guard let text = fields.requiredText("url", expecting: "a URL such as \(example)") else { return nil }
        let location = fields.location(of: "url")
        let parts: URLParts
        do {
            parts = try URLParts(text)
        } catch {
            self.error(location, "url '\(Printable.excerpt(URLMask.mask(text)))' \(error.message)")
            return nil
        }
        let shown = Printable.excerpt(URLMask.mask(text))
        guard schemes.contains(parts.scheme) else {
            let nearest = NearestName.find(parts.scheme, among: schemes)
            error(
                location,
                "url '\(shown)' has the scheme '\(Printable.excerpt(parts.scheme))', which is not supported here; "
                    + (nearest.map { "did you mean '\($0)'? " } ?? "") + "allowed: \(schemes.joined(separator: ", "))")
            return nil
        }
        let listens = parts.scheme == "srt" && parts.value(of: "mode") == "listener"
        let receives = parts.scheme == "udp" || parts.scheme == "rtp"
        guard !parts.host.isEmpty || listens || (receives && parts.port != nil) else {
            error(location, "url '\(shown)' has no host; write for instance \(example)")
            return nil
        }
        return (text, parts)
    }

    /// Checks the port and the mode of an SRT URL of a source or a target.
    func checkSRT(_ parts: URLParts, owner: String, at location: FileLocation) {
        guard let port = parts.port else {
            error(
                location,
                "an srt url needs a port; write for instance srt://\(parts.host.isEmpty ? "host" : parts.host):9000")
            return
        }
        switch parts.value(of: "mode") {
        case nil, "caller", "rendezvous": break
        case "listener":
            let address = SocketAddress(host: parts.host.isEmpty ? "0.0.0.0" : parts.host, port: port)
            claimListener(address, .udp, owner: owner, at: location)
        case let mode?:
            error(
                location,
                "mode '\(Printable.excerpt(mode))' in the url is not known; allowed: caller, listener, rendezvous")
        }
    }

    /// Reports keys that do not go with the url, or with the key in its place.
    func refuse(_ keys: [String], in fields: Fields, of owner: String, fix: String = "remove it") {
        for key in keys {
            guard let pair = fields[key] else { continue }
            error(pair.keyLocation, "\(owner) takes no \(key); \(fix)")
        }
    }

    /// Reports keys that also have a value in the url.
    func refuseTwice(_ keys: [String], in fields: Fields, _ parts: URLParts) {
        for key in keys {
            guard let pair = fields[key], parts.value(of: key) != nil else { continue }
            error(pair.keyLocation, "\(key) is given here and in the url; remove it from the url")
        }
    }
}
