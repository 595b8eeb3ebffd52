/// A value of the file with its place: what the checks walk over.
struct YAMLNode {
    enum Content {
        /// `plain`: written without quotes, so that `null` and `true` mean themselves.
        case scalar(String, plain: Bool)
        case sequence([YAMLNode])
        case mapping([YAMLPair])
    }

    let place: SourceLocation
    let content: Content

    /// Nothing is written here (`key:`), or `null` or `~`.
    var isNull: Bool {
        if case .scalar(let text, plain: true) = content { return ["", "~", "null", "Null", "NULL"].contains(text) }
        return false
    }

    /// What a reader would call this, for messages.
    var found: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a plain value"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

struct YAMLPair {
    let key: String
    let keyPlace: SourceLocation
    let value: YAMLNode
}
