import TestSupport

/// Reads the targets of a Package.swift from its text.
enum PackageManifest {
    /// - Returns: The targets below `Sources`, each with those of them that it depends on.
    static func modules(in manifest: String) throws -> [String: Set<String>] {
        let text = withoutComments(manifest)[...]
        var declared: [String: Set<String>] = [:]
        var rest = text
        while let start = rest.firstMatch(of: /\.(target|executableTarget|systemLibrary|testTarget)\(/) {
            let arguments = try balanced(rest[start.range.upperBound...])
            // Skips the arguments, in which a dependency may be written like a target.
            rest = rest[arguments.endIndex...]
            guard let name = arguments.firstMatch(of: /\bname: *"([^"]+)"/)?.1 else {
                throw Failed("a target without a name in Package.swift: \(arguments)")
            }
            let usual = start.1 == "testTarget" ? "Tests" : "Sources"
            let path = arguments.firstMatch(of: /\bpath: *"([^"]+)"/)?.1 ?? usual[...]
            guard path == "Sources" || path.hasPrefix("Sources/") else { continue }
            declared[String(name)] = try dependencies(in: arguments)
        }
        return declared.mapValues { $0.filter { declared[$0] != nil } }
    }

    /// The names of targets in a target's argument `dependencies`.
    private static func dependencies(in arguments: Substring) throws -> Set<String> {
        guard let label = arguments.firstMatch(of: /\bdependencies:\s*/) else { return [] }
        let value = arguments[label.range.upperBound...]
        guard value.first == "[" else { throw Failed("dependencies that are no list in Package.swift: \(arguments)") }
        let list = try balanced(value.dropFirst())
        let behind = arguments[list.endIndex...].dropFirst().drop(while: \.isWhitespace)
        guard behind.isEmpty || behind.first == "," else {
            throw Failed("dependencies that are no list in Package.swift: \(arguments)")
        }
        var names: Set<String> = []
        for element in try elements(of: list) where !element.hasPrefix(".product(") {
            guard let name = element.wholeMatch(of: /(?:\.(?:target|byName)\(name: *)?"([^"]+)"\)?/)?.1 else {
                throw Failed("a dependency that is no literal in Package.swift: \(element)")
            }
            names.insert(String(name))
        }
        return names
    }

    /// The elements of a list, without the whitespace around them.
    private static func elements(of list: Substring) throws -> [Substring] {
        var elements: [Substring] = []
        var rest = list
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == "," }
            guard !rest.isEmpty else { return elements }
            var end = rest.startIndex
            while end < rest.endIndex, rest[end] != "," {
                // Parentheses and brackets belong to the element, with the commas in them.
                if "([".contains(rest[end]) { end = try balanced(rest[rest.index(after: end)...]).endIndex }
                end = rest.index(after: end)
            }
            let element = rest[..<end]
            rest = rest[end...]
            elements.append(element[..<(element.lastIndex { !$0.isWhitespace }.map(element.index(after:)) ?? end)])
        }
    }

    /// The text up to the closing parenthesis or bracket whose opening one is right before the text.
    private static func balanced(_ text: Substring) throws -> Substring {
        var depth = 1
        var isString = false
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case "\"": isString.toggle()
            case "(" where !isString, "[" where !isString: depth += 1
            case ")" where !isString, "]" where !isString: depth -= 1
            default: break
            }
            if depth == 0 { return text[..<index] }
            index = text.index(after: index)
        }
        throw Failed("a parenthesis that is not closed in Package.swift: \(text.prefix(80))")
    }

    /// The text without comments. `//` in a string, such as a URL, stays.
    private static func withoutComments(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var isString = false
            var index = line.startIndex
            while index < line.endIndex {
                if line[index] == "\"" { isString.toggle() }
                if !isString, line[index...].hasPrefix("//") { return line[..<index] }
                index = line.index(after: index)
            }
            return line[...]
        }.joined(separator: "\n")
    }
}
