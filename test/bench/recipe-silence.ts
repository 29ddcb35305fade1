/** Silence that ends a turn in the usual recipe, as in the voice library's own recorder example. */
export const RECIPE_SILENCE_MS = 1000;
