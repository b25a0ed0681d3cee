"""German words of the interface, by the English ones."""

from .german_directing import DIRECTING
from .german_farm import FARMING
from .german_install import INSTALLING

WORDS = {
    # Panels
    "Source": "Quelle",
    "Root and Feet": "Wurzel und Füße",
    "Train": "Lernen",
    "Training Presets": "Lernvorgaben",
    "Models": "Modelle",
    "Model": "Modell",
    "Generate": "Erzeugen",
    "Live Variation": "Live-Variation",
    "Variations": "Variationen",
    "Variation": "Variation",
    "Regions": "Bereiche",
    "Region": "Bereich",
    "Compose": "Komponieren",
    # What the panels say
    "Select an armature, or try it out:": "Armatur auswählen oder ausprobieren:",
    "1. Add Sample Dancer": "1. Beispieltänzerin hinzufügen",
    "No model yet: train one or import one": "Noch kein Modell: eines lernen oder importieren",
    "Add a region from:": "Bereich hinzufügen aus:",
    "Custom Recipe": "Eigenes Rezept",
    "2. Train on Action": "2. Aktion lernen",
    "3. Generate": "3. Erzeugen",
    "No action to learn from": "Keine Aktion zum Lernen",
    "Looking at the armature…": "Armatur wird angesehen …",
    "A variation made by Riff": "Eine Variation von Riff",
    "{:.0f} frames, {:.1f} s at {:g} fps": "{:.0f} Bilder, {:.1f} s bei {:g} fps",
    "{} joints below {}": "{} Gelenke unter {}",
    "{} controls, led by {}": "{} Steuerknochen, geführt von {}",
    "Properties: {}": "Eigenschaften: {}",
    "All strips of the NLA together": "Alle Strips der NLA zusammen",
    "Whole NLA": "Ganze NLA",
    "Learn what all strips of the NLA and the active action give together, not the active action alone":
        "Lernen, was alle Strips der NLA und die aktive Aktion zusammen ergeben, nicht die aktive Aktion allein",
    "Learned Bones": "Gelernte Knochen",
    "List Learned Bones": "Gelernte Knochen auflisten",
    "List the bones that Riff learns, each with its other side and body part, to leave some out or correct them":
        "Die gelernten Knochen mit Gegenseite und Körperteil auflisten, um welche auszulassen oder zu berichtigen",
    "Let Riff Find Them": "Riff suchen lassen",
    "Let Riff find again which bones it learns, their other sides and body parts":
        "Riff wieder selbst finden lassen, welche Knochen es lernt, ihre Gegenseiten und Körperteile",
    "Look Again": "Erneut ansehen",
    "Riff has not looked at this armature yet": "Riff hat diese Armatur noch nicht angesehen",
    "Nothing was changed": "Es wurde nichts geändert",
    "Learn": "Lernen",
    "Vary this bone; a bone that is left out holds its first key":
        "Diesen Knochen variieren; ein ausgelassener Knochen hält seinen ersten Schlüssel",
    "Other Side": "Gegenseite",
    "Bone on the other side of the body": "Knochen auf der anderen Körperseite",
    "Body Part": "Körperteil",
    "Body part that the bone belongs to": "Körperteil, zu dem der Knochen gehört",
    "Bone that Riff learns": "Knochen, den Riff lernt",
    "{} and {} more": "{} und {} weitere",
    "Feet: {}": "Füße: {}",
    "No feet found": "Keine Füße gefunden",
    "Finding out how long it takes…": "Dauer wird ermittelt …",
    "About {} on {}": "Etwa {} auf {}",
    "About {}": "Etwa {}",
    "Loading PyTorch": "PyTorch wird geladen",
    "Measuring quality": "Qualität wird gemessen",
    "Level {} of {}, {} left": "Stufe {} von {}, noch {}",
    "Waits for the other training": "Wartet auf das andere Lernen",
    "Training was cancelled": "Das Lernen wurde abgebrochen",
    "The numbers grew beyond all bounds: Riff went back a few seconds and learns with lower rates":
        "Die Zahlen wuchsen über alle Grenzen: Riff ging einige Sekunden zurück und lernt mit kleineren Lernraten",
    "Trained in {}": "Gelernt in {}",
    "Cannot be read": "Nicht lesbar",
    "Back to {}": "Zurück zu {}",
    "Good": "Gut",
    "Fair": "Mittel",
    "Poor": "Schwach",
    "Preview": "Vorschau",
    "Markers": "Marker",
    "Keys": "Keyframes",
    "Stop": "Stopp",
    "Cancel": "Abbrechen",
    # Operators
    "Add Sample Dancer": "Beispieltänzerin hinzufügen",
    "Add an armature with a simple body and a dance of 20 seconds, and set the scene to its length and frame rate":
        "Eine Armatur mit einfachem Körper und einem Tanz von 20 Sekunden hinzufügen und die Szene darauf einstellen",
    "Train on Action": "Aktion lernen",
    "Learn the armature's action in the background, to generate variations of it":
        "Die Aktion der Armatur im Hintergrund lernen, um Variationen davon zu erzeugen",
    "Train on Several Actions": "Mehrere Aktionen lernen",
    "Learn the armature's action and others together in the background; variations then move between them":
        "Die Aktion der Armatur und weitere zusammen im Hintergrund lernen; Variationen wechseln dann zwischen ihnen",
    "Cancel Training": "Lernen abbrechen",
    "Stop the training; it can be resumed later from where it was":
        "Das Lernen anhalten; es kann später dort weitergehen, wo es war",
    "Resume": "Fortsetzen",
    "Go on with a training that was cancelled or interrupted, from where it was":
        "Ein abgebrochenes oder unterbrochenes Lernen dort fortsetzen, wo es war",
    "Discard Training": "Lernen verwerfen",
    "Delete what an unfinished training has learned so far": "Löschen, was bis zum Abbruch gelernt wurde",
    "Add Training Preset": "Lernvorgabe hinzufügen",
    "Add or remove a preset of the training settings": "Eine Vorgabe der Lerneinstellungen hinzufügen oder entfernen",
    "Add Foot": "Fuß hinzufügen",
    "Add a bone that touches the ground; the first click adds those that Riff found":
        "Einen Knochen hinzufügen, der den Boden berührt; der erste Klick fügt die gefundenen hinzu",
    "Remove Foot": "Fuß entfernen",
    "Remove the chosen bone from the feet": "Den gewählten Knochen aus den Füßen entfernen",
    "Refresh Models": "Modelle neu lesen",
    "Look for models in Riff's folder again": "Noch einmal nach Modellen in Riffs Ordner suchen",
    "Delete Model": "Modell löschen",
    "Delete the chosen model's file; actions that it generated stay":
        "Die Datei des gewählten Modells löschen; erzeugte Aktionen bleiben",
    "Rename Model": "Modell umbenennen",
    "Give the chosen model another name; actions that it generated keep the old one":
        "Dem gewählten Modell einen anderen Namen geben; erzeugte Aktionen behalten den alten",
    "New name of the model": "Neuer Name des Modells",
    "Import Model": "Modell importieren",
    "Copy a model's file, from a colleague for example, into Riff's folder":
        "Eine Modelldatei, zum Beispiel von Kollegen, in Riffs Ordner kopieren",
    "Export Model": "Modell exportieren",
    "Save a copy of the chosen model's file, to give to somebody or to keep":
        "Eine Kopie des gewählten Modells speichern, zum Weitergeben oder Aufheben",
    "Reveal Models": "Modelle im Ordner zeigen",
    "Open Riff's folder of models in the file browser of the system": "Riffs Ordner im Dateimanager des Systems öffnen",
    "Quality": "Qualität",
    "Quality of this model, measured on three variations when its training ended":
        "Qualität dieses Modells, nach dem Lernen an drei Variationen gemessen",
    "Generate new actions for this armature with the chosen model; the armature keeps its own action":
        "Mit dem gewählten Modell neue Aktionen für diese Armatur erzeugen; sie behält ihre eigene Aktion",
    "Show Action": "Aktion zeigen",
    "Put this action on the armature and play it; the action that was there stays in the file":
        "Diese Aktion der Armatur zuweisen und abspielen; die vorige bleibt in der Datei",
    "Keep": "Behalten",
    "Keep this variation: Discard Others spares it; click again to keep it no longer":
        "Diese Variation behalten: „Andere verwerfen“ verschont sie; nochmals klicken hebt das auf",
    "Discard": "Verwerfen",
    "Delete this variation from the file": "Diese Variation aus der Datei löschen",
    "Discard Others": "Andere verwerfen",
    "Delete every variation of this armature that is not kept":
        "Alle Variationen dieser Armatur löschen, die nicht behalten werden",
    "Reduce Keys": "Keyframes verringern",
    "Replace the keys on every frame by as few Bézier keys as follow the same curves, to edit them by hand":
        "Die Keyframes auf jedem Bild durch so wenige Bézier-Keyframes ersetzen, wie denselben Kurven folgen",
    "Add to NLA": "In den NLA-Editor",
    "Put this variation on a new NLA track of the armature, at the current frame":
        "Diese Variation beim aktuellen Bild auf eine neue NLA-Spur der Armatur legen",
    "Mark as Asset": "Als Asset markieren",
    "Offer this variation in the asset browser, with a picture of it":
        "Diese Variation mit einem Bild im Asset-Browser anbieten",
    "More Like This": "Mehr davon",
    "Generate variations that share the course of this one and differ in detail":
        "Variationen erzeugen, die dieser im Verlauf gleichen und sich in Einzelheiten unterscheiden",
    "Show variations on the armature while the slider is dragged, without touching any action; again to stop":
        "Variationen an der Armatur zeigen, während der Regler gezogen wird, ohne eine Aktion zu ändern",
    "Keep what is shown as a new action and end the live variation":
        "Was gezeigt wird als neue Aktion behalten und die Live-Variation beenden",
    "Add Region": "Bereich hinzufügen",
    "Add a region of interest, a part of the timeline that Riff's operators can work on":
        "Einen Bereich hinzufügen, mit dem Riffs Werkzeuge arbeiten können",
    "From Preview Range": "Aus dem Vorschaubereich",
    "From Selected Markers": "Aus ausgewählten Markern",
    "From Selected Keys": "Aus ausgewählten Keyframes",
    "From Frames": "Aus Bildnummern",
    "The preview range of the scene becomes a region": "Der Vorschaubereich der Szene wird zum Bereich",
    "Each pair of neighbouring selected markers becomes a region":
        "Je zwei benachbarte ausgewählte Marker werden zum Bereich",
    "The frames from first to last selected key become a region":
        "Die Bilder vom ersten bis zum letzten ausgewählten Keyframe werden zum Bereich",
    "The frames given become a region": "Die angegebenen Bilder werden zum Bereich",
    "Remove Region": "Bereich entfernen",
    "Remove the chosen region of interest; the animation stays as it is":
        "Den gewählten Bereich entfernen; die Animation bleibt, wie sie ist",
    "Mark Region with Two Clicks": "Bereich mit zwei Klicks",
    "Click the first and the last frame of a region in a timeline or dope sheet":
        "Das erste und das letzte Bild eines Bereichs in Zeitleiste oder Dope Sheet anklicken",
    # Settings
    "Recipe": "Rezept",
    "How thoroughly the action is learned": "Wie gründlich die Aktion gelernt wird",
    "Fast": "Schnell",
    "Riff's own recipe: minutes on an ordinary computer": "Riffs eigenes Rezept: Minuten auf einem normalen Rechner",
    "Paper": "Veröffentlicht",
    "The published mini-batch recipe: much longer than Fast":
        "Das veröffentlichte Mini-Batch-Rezept: viel länger als „Schnell“",
    "The recipe that the paper compares with: the longest":
        "Das Rezept, mit dem die Veröffentlichung vergleicht: am längsten",
    "Custom": "Eigenes",
    "A recipe of your own, made from one of the others": "Ein eigenes Rezept, aus einem der anderen gemacht",
    "The recipe that is set up in the panel": "Das Rezept, das in der Leiste eingestellt ist",
    "Based On": "Ausgehend von",
    "Recipe that the custom one starts from": "Rezept, von dem das eigene ausgeht",
    "Effort": "Aufwand",
    "Training steps, as a multiple of the recipe's": "Lernschritte, als Vielfaches derer des Rezepts",
    "Faithfulness": "Treue",
    "How much the model is held to the source, as a multiple of the recipe's; less leaves more freedom":
        "Wie sehr das Modell an die Quelle gebunden wird, als Vielfaches des Rezepts; weniger lässt mehr Freiheit",
    "Foot Contact": "Fußkontakt",
    "How much sliding feet are held against the model, as a multiple of the recipe's":
        "Wie sehr rutschende Füße zählen, als Vielfaches des Rezepts",
    "Training Seed": "Lern-Startwert",
    "Trainings with another seed differ a little": "Lernen mit einem anderen Startwert fällt etwas anders aus",
    "Count": "Anzahl",
    "How many variations to generate": "Wie viele Variationen erzeugt werden",
    "Source Length": "Länge der Quelle",
    "Make each variation as long as the action that was learned":
        "Jede Variation so lang machen wie die gelernte Aktion",
    "Frames": "Bilder",
    "How many frames each variation lasts": "Wie viele Bilder jede Variation dauert",
    "How many frames each variation lasts; 0 for as many as the source":
        "Wie viele Bilder jede Variation dauert; 0 für so viele wie die Quelle",
    "Seed": "Startwert",
    "The same model, seed and length always give the same variations":
        "Gleiches Modell, gleicher Startwert und gleiche Länge ergeben immer dieselben Variationen",
    "Coarse Variation": "Grobe Variation",
    "How much the course of the motion varies; 1 is what the model was trained for":
        "Wie sehr der Verlauf der Bewegung variiert; 1 ist, worauf das Modell gelernt hat",
    "How much the course of the motion varies": "Wie sehr der Verlauf der Bewegung variiert",
    "Fine Variation": "Feine Variation",
    "How much the details vary; 1 is what the model was trained for":
        "Wie sehr Einzelheiten variieren; 1 ist, worauf das Modell gelernt hat",
    "How much the details vary": "Wie sehr Einzelheiten variieren",
    "Clean Feet": "Füße säubern",
    "Make standing feet stand where they would slide a little":
        "Stehende Füße stehen lassen, wo sie sonst etwas rutschen würden",
    "Keep only the Bézier keys that follow the motion this closely; 0 keys each frame":
        "Nur die Bézier-Keyframes behalten, die der Bewegung so genau folgen; 0 setzt jedes Bild",
    "Offer the variations in the asset browser, each with a picture":
        "Die Variationen im Asset-Browser anbieten, jede mit einem Bild",
    "Like": "Ähnlich wie",
    "Variation that the new ones are near to; empty for any":
        "Variation, der die neuen nahe sind; leer für beliebige",
    "Model to generate from": "Modell, aus dem erzeugt wird",
    "Generated action": "Erzeugte Aktion",
    "Place on the line of all seeds: whole numbers are seeds, between them they blend":
        "Ort auf der Linie aller Startwerte: ganze Zahlen sind Startwerte, dazwischen gehen sie ineinander über",
    "Root": "Wurzel",
    "Bone that carries the body; leave it empty to let Riff find it":
        "Knochen, der den Körper trägt; leer lassen, damit Riff ihn findet",
    "Choose Feet": "Füße wählen",
    "Say which bones touch the ground instead of letting Riff find them":
        "Angeben, welche Knochen den Boden berühren, statt sie Riff finden zu lassen",
    "Foot": "Fuß",
    "Bone that touches the ground": "Knochen, der den Boden berührt",
    "Start": "Anfang",
    "End": "Ende",
    "Name": "Name",
    "Color": "Farbe",
    "Use": "Benutzen",
    "What happens here": "Was hier geschieht",
    "First frame of the region": "Erstes Bild des Bereichs",
    "Last frame of the region": "Letztes Bild des Bereichs",
    "Region of interest": "Bereich der Zeitleiste",
    "Color of the region's strip in the timeline and the dope sheet":
        "Farbe des Bereichs in Zeitleiste und Dope Sheet",
    "Let operators that work on regions use this one": "Werkzeuge, die mit Bereichen arbeiten, diesen benutzen lassen",
    "Tolerance": "Toleranz",
    "How far rotations may be off": "Wie weit Drehungen abweichen dürfen",
    # Preferences
    "Train in a Separate Process": "In einem eigenen Prozess lernen",
    "Blender's window stays smoother, and a training without memory cannot take Blender with it":
        "Blenders Fenster bleibt flüssiger, und geht dem Lernen der Speicher aus, nimmt es Blender nicht mit",
    "Python interpreter with PyTorch for the separate process; empty for Blender's own":
        "Python mit PyTorch für den eigenen Prozess; leer für das von Blender",
    "{}: Esc to cancel": "{}: Esc bricht ab",
    # Crowd
    "Crowd": "Menge",
    "Duplicate as Crowd": "Zur Menge vervielfältigen",
    "Make copies of this character, each with a variation of its own; meshes and materials are shared":
        "Kopien dieser Figur machen, jede mit eigener Variation; Meshes und Materialien werden geteilt",
    "Add to Crowd": "Zur Menge hinzufügen",
    "Add members to this crowd, different from those that are there, where there is room between and beside them":
        "Mitglieder hinzufügen, die sich von den anderen unterscheiden, wo zwischen und neben ihnen Platz ist",
    "Re-Roll": "Neu würfeln",
    "Re-Roll Selected": "Ausgewählte neu würfeln",
    "Re-Roll All": "Alle neu würfeln",
    "Give members another motion, different from all others, where they stand":
        "Mitgliedern an ihrem Platz eine andere Bewegung geben, die sich von allen anderen unterscheidet",
    "Thin Out": "Ausdünnen",
    "Remove a part of the members, evenly over the place that the crowd takes up":
        "Einen Teil der Mitglieder entfernen, gleichmäßig über den Platz der Menge",
    "Remove Crowd": "Menge entfernen",
    "Remove this crowd with all its members and their actions; the character stays":
        "Diese Menge mit allen Mitgliedern und deren Aktionen entfernen; die Figur bleibt",
    "Most alike: {:.2f} apart (source: {:.2f})": "Ähnlichste: {:.2f} auseinander (Quelle: {:.2f})",
    "How many members to make": "Wie viele Mitglieder entstehen",
    "Placement": "Aufstellung",
    "Where members stand": "Wo Mitglieder stehen",
    "Looking": "Blickrichtung",
    "Where members look": "Wohin Mitglieder blicken",
    "Distance": "Abstand",
    "Candidates": "Kandidaten",
    "Light": "Leicht",
    "Loops": "Schleifen",
    "As NLA Strips": "Als NLA-Streifen",
    **DIRECTING,
    **FARMING,
    **INSTALLING,
}  # fmt: skip
"""Blender's own German says Knochen for bones and Armatur for armatures; so does this."""
