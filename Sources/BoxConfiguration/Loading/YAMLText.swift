/// Writes strings as YAML.
enum YAMLText {
    /// Returns `text` without quotes if it begins with a letter or a slash, has no special character, and is not
    /// `null`, `true` or `false`. Otherwise returns it in double quotes.
    static func scalar(_ text: String) -> String {
        let needsNoEscape = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0)) }
        if needsNoEscape, let first = text.first, first.isLetter || first == "/",
            !["null", "true", "false"].contains(text.lowercased())
        {
            return text
        }
        var quoted = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            default: quoted.unicodeScalars.append(character)
            }
        }
        return quoted + "\""
    }
}
