/// A property that comparisons ignore, such as the location of a value in the file: a reload must not touch a channel
/// that only moved to another line.
@propertyWrapper
package struct EqualityIgnored<Value: Sendable>: Sendable, Equatable, CustomReflectable {
    package var wrappedValue: Value

    package init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    package static func == (first: Self, second: Self) -> Bool { true }

    package var customMirror: Mirror { Mirror(reflecting: wrappedValue) }
}
