public import GaleTemplate

extension TemplateValue {
    /// A list of texts.
    public static func strings(_ texts: [String]) -> TemplateValue {
        .list(TemplateList(texts.map { TemplateValue.string($0) }))
    }
}
