extension ConfigurationReader {
    /// Reads `tls: { ca: FILE }` or `tls: { verify: none }` beside a `url:`. Without it, the
    /// certificate is checked against the system's authorities.
    func tls(_ fields: Fields, _ parts: URLParts) -> TLSVerification {
        guard let pair = fields["tls"] else { return .system }
        guard TLSVerification.schemes.contains(parts.scheme) else {
            let schemes = TLSVerification.schemes.map { "\($0)://" }.joined(separator: ", ")
            error(
                pair.keyLocation,
                "tls is given, but \(parts.scheme):// does not use TLS; remove it, or use one of \(schemes)")
            return .system
        }
        guard let inner = self.fields(pair.value, what: "tls", allowed: ["ca", "verify"]) else { return .system }
        switch (inner["ca"], inner["verify"]) {
        case (nil, nil):
            error(pair.keyLocation, "tls is empty; write ca: with a file of certificates, or remove it")
            return .system
        case (.some, let verify?):
            error(verify.keyLocation, "tls has both ca and verify; keep ca, which checks the certificate")
            return .system
        case (.some, nil):
            guard let file = inner.text("ca", expecting: "the path of a PEM file, for instance /etc/streambox/ca.pem")
            else { return .system }
            requireFile(file, key: "ca", at: inner.location(of: "ca"))
            return .authorities(file: file)
        case (nil, .some):
            guard let word = inner.text("verify", expecting: "none") else { return .system }
            guard word == "none" else {
                error(
                    inner.location(of: "verify"),
                    "verify is '\(Printable.excerpt(word))'; write none, or remove it to check certificates")
                return .system
            }
            warning(
                pair.keyLocation,
                """
                the certificate of \(parts.host) is not checked, so another server on the network can pose as it \
                and gets the key; write ca: with the server's certificate instead
                """
            )
            return .none
        }
    }
}
