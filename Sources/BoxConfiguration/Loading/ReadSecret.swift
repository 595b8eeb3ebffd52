extension ConfigurationReader {
    /// The secret at `key`. Nothing that may be the secret itself is ever quoted.
    func secret(_ fields: Fields, _ key: String, use: SecretUse) -> SecretReference? {
        guard let pair = fields[key] else { return nil }
        let node = pair.value
        let ways = "{ file: PATH }, { credential: NAME } or { env: NAME }"
        switch node.content {
        case .sequence:
            error(node.place, "\(key) is a list; write \(ways)")
            return nil
        case .scalar(let text, _):
            guard !node.isNull, !text.isEmpty else {
                error(node.place, "\(key) is empty; write \(ways)")
                return nil
            }
            return literalSecret(text, key: key, use: use, ways: ways, at: node.place)
        case .mapping(let pairs):
            return secretPlace(pairs, key: key, ways: ways, at: node.place)
        }
    }

    private func literalSecret(
        _ text: String, key: String, use: SecretUse, ways: String, at place: SourceLocation
    ) -> SecretReference? {
        if !ownerOnly {
            let message =
                "\(key) is written straight into a file that others can read; write \(ways), or run: chmod 600 \(file)"
            // Many a stream id is the name of a camera and no secret.
            guard use == .streamid else {
                error(place, message)
                return nil
            }
            warning(place, message)
        }
        let secret = Secret(text)
        if let objection = use.objection(to: secret) {
            error(place, "\(key) \(objection)")
            return nil
        }
        return .literal(secret)
    }

    private func secretPlace(
        _ pairs: [YAMLPair], key: String, ways: String, at place: SourceLocation
    ) -> SecretReference? {
        let kinds = ["file", "credential", "env"]
        for pair in pairs where !kinds.contains(pair.key) {
            // An unknown key may be the secret itself, in braces.
            let nearest = pair.value.isNull ? nil : NearestName.find(pair.key, among: kinds)
            error(
                pair.keyPlace,
                "\(key) has an unknown key; " + (nearest.map { "did you mean '\($0)'? " } ?? "") + "write \(ways)")
            return nil
        }
        guard pairs.count == 1, let pair = pairs.first else {
            error(
                pairs.count > 1 ? pairs[1].keyPlace : place,
                "\(key) names \(pairs.isEmpty ? "no place" : "more than one place"); write one of \(ways)")
            return nil
        }
        let fields = Fields(pairs, place: place, what: key, allowed: kinds, reader: self)
        switch pair.key {
        case "file":
            guard let path = fields.text("file", expecting: "the path of the file that holds the secret") else {
                return nil
            }
            // Whether it can be had is known when it is needed: it may belong to the service's user alone, or come
            // later.
            if checksFiles, LocalFile.isOpenToOthers(path) {
                warning(
                    pair.value.place,
                    """
                    the secret file \(path) can be read by others than its owner, and is refused like that; run: \
                    chmod 600 \(path)
                    """
                )
            }
            return .file(path)
        case "credential":
            guard let name = fields.text("credential", expecting: "the name of the credential") else { return nil }
            guard SecretReference.isCredentialName(name) else {
                error(
                    pair.value.place,
                    "credential '\(Printable.excerpt(name))' is no name of a credential; it is a file name without '/'")
                return nil
            }
            return .credential(name)
        default:
            guard let name = fields.text("env", expecting: "the name of the environment variable") else { return nil }
            guard SecretReference.isVariableName(name) else {
                // Not quoted: "$abc…" may be the key itself.
                error(
                    pair.value.place,
                    """
                    env is no name of an environment variable; allowed: letters, digits and '_', without '$', not \
                    beginning with a digit
                    """
                )
                return nil
            }
            return .env(name)
        }
    }
}
