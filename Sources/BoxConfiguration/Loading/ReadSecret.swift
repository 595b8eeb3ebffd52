extension ConfigurationReader {
    /// Reads the secret at `key`. Messages never quote a text that may be the secret itself.
    func secret(_ fields: Fields, _ key: String, use: SecretUse) -> SecretReference? {
        guard let pair = fields[key] else { return nil }
        let node = pair.value
        let ways = "{ file: PATH }, { credential: NAME } or { env: NAME }"
        switch node.content {
        case .sequence:
            error(node.location, "\(key) is a list; write \(ways)")
            return nil
        case .scalar(let text, _):
            guard !node.isNull, !text.isEmpty else {
                error(node.location, "\(key) is empty; write \(ways)")
                return nil
            }
            return literalSecret(text, key: key, use: use, ways: ways, at: node.location)
        case .mapping(let pairs):
            return secretReference(pairs, key: key, ways: ways, at: node.location)
        }
    }

    private func literalSecret(
        _ text: String, key: String, use: SecretUse, ways: String, at location: FileLocation
    ) -> SecretReference? {
        if !ownerOnly {
            let message =
                """
                \(key) is written directly into a file that other users can read; write \(ways), or run: chmod \
                600 \(file)
                """
            // A stream id is often the name of a camera and not a secret.
            guard use == .streamid else {
                error(location, message)
                return nil
            }
            warning(location, message)
        }
        let secret = Secret(text)
        if let objection = use.objection(to: secret) {
            error(location, "\(key) \(objection)")
            return nil
        }
        return .literal(secret)
    }

    private func secretReference(
        _ pairs: [YAMLPair], key: String, ways: String, at location: FileLocation
    ) -> SecretReference? {
        let kinds = ["file", "credential", "env"]
        for pair in pairs where !kinds.contains(pair.key) {
            // An unknown key may be the secret itself, in braces.
            let nearest = pair.value.isNull ? nil : NearestName.find(pair.key, among: kinds)
            error(
                pair.keyLocation,
                "\(key) has an unknown key; " + (nearest.map { "did you mean '\($0)'? " } ?? "") + "write \(ways)")
            return nil
        }
        guard pairs.count == 1, let pair = pairs.first else {
            error(
                pairs.count > 1 ? pairs[1].keyLocation : location,
                "\(key) names \(pairs.isEmpty ? "no place" : "more than one place"); write one of \(ways)")
            return nil
        }
        let fields = Fields(pairs, location: location, what: key, allowed: kinds, reader: self)
        return switch pair.key {
        case "file": secretFile(fields)
        case "credential": credential(fields)
        default: variable(fields)
        }
    }

    private func secretFile(_ fields: Fields) -> SecretReference? {
        guard let path = fields.text("file", expecting: "the path of the file that holds the secret") else {
            return nil
        }
        // A file that cannot be read is not reported here: it may belong to the user of the service, or be created
        // later.
        if checksFiles, LocalFile.isOpenToOthers(path) {
            warning(
                fields.location(of: "file"),
                """
                the secret file \(path) can be read by users other than its owner, so the service refuses it; run: \
                chmod 600 \(path)
                """
            )
        }
        return .file(path)
    }

    private func credential(_ fields: Fields) -> SecretReference? {
        guard let name = fields.text("credential", expecting: "the name of the credential") else { return nil }
        guard SecretReference.isCredentialName(name) else {
            error(
                fields.location(of: "credential"),
                "credential '\(Printable.excerpt(name))' is not a credential name; write a file name without '/'")
            return nil
        }
        return .credential(name)
    }

    private func variable(_ fields: Fields) -> SecretReference? {
        guard let name = fields.text("env", expecting: "the name of the environment variable") else { return nil }
        guard SecretReference.isVariableName(name) else {
            // Not quoted: "$abc…" may be the key itself.
            error(
                fields.location(of: "env"),
                """
                env is not the name of an environment variable; allowed: letters, digits and '_', without '$', not \
                beginning with a digit
                """
            )
            return nil
        }
        return .env(name)
    }
}
