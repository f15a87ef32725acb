// What makes the pages quicker: a slider that moves its number, buttons that copy, and keys. Every page works without it.
document.documentElement.classList.add("with-script");

document.addEventListener("input", (event) => {
  const range = event.target.closest("input[type=range][data-number]");
  if (range) range.form.elements[range.dataset.number].value = range.value;
  const number = event.target.closest("input[type=number]");
  if (number) {
    const slider = number.form.querySelector(`input[data-number="${CSS.escape(number.name)}"]`);
    if (slider) slider.value = number.value;
  }
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = "Copied";
});

// One key presses a button or enters a field; Escape or Enter leaves the field again.
document.addEventListener("keydown", (event) => {
  const isWriting = event.target.matches("input:not([type=range]), textarea, select");
  if (isWriting) {
    if (event.target.matches("[data-key]") && (event.key === "Escape" || event.key === "Enter")) {
      event.preventDefault();
      event.target.blur();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const element = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!element) return;
  event.preventDefault();
  if (element.matches("input")) element.focus();
  else element.click();
});
