/** Builds the fields object of readings of one list without growing it name by name. */
import type { FieldName, Values } from '../../src/reading.ts'

/**
 * Collects fields and gives them as one object. Telegrams of a list fill the same fields, so the object is cloned from
 * one that has them all: four times faster than adding two dozen properties one after the other.
 */
export class ValuesBuilder {
  private readonly names: FieldName[] = []
  private readonly numbers: (number | null)[] = []
  private count = 0
  private template: Values = {}
  private templateNames: readonly FieldName[] = []

  /** Begins the next telegram. */
  reset(): void {
    this.count = 0
  }

  add(name: FieldName, value: number | null): void {
    this.names[this.count] = name
    this.numbers[this.count++] = value
  }

  /** The fields added since {@link reset}. */
  build(): Values {
    const { names, numbers, count } = this
    if (!this.fitsTemplate()) {
      this.templateNames = names.slice(0, count)
      // Parsed, not assigned: gives an object whose properties are laid out in one piece. 0.5 makes room for fractions.
      this.template = JSON.parse(
        JSON.stringify(Object.fromEntries(this.templateNames.map(name => [name, 0.5]))),
      )
    }
    const values: { [Name in FieldName]?: number | null } = { ...this.template }
    for (let i = 0; i < count; i++) values[names[i]!] = numbers[i]!
    return values
  }

  private fitsTemplate(): boolean {
    if (this.templateNames.length !== this.count) return false
    for (let i = 0; i < this.count; i++) if (this.templateNames[i] !== this.names[i]) return false
    return true
  }
}
