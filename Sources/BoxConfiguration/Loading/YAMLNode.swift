/// A value of the configuration file, with its line and column.
struct YAMLNode {
    enum Content {
        /// `plain` says whether the value is written without quotes. Only then do `null` and `true` have their special
        /// meaning.
        case scalar(String, plain: Bool)
        case sequence([YAMLNode])
        case mapping([YAMLPair])
    }

    let location: FileLocation
    let content: Content

    /// Whether the value is empty (`key:`), `null` or `~`.
    var isNull: Bool {
        if case .scalar(let text, plain: true) = content { return ["", "~", "null", "Null", "NULL"].contains(text) }
        return false
    }

    /// The kind of the value, as an error message names it.
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
    let keyLocation: FileLocation
    let value: YAMLNode
}
