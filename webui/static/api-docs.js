"use strict";
// Shows the OpenAPI document of this service in Swagger UI.
const place = document.getElementById("swagger");
SwaggerUIBundle({ url: place.dataset.document, domNode: place, deepLinking: true, validatorUrl: null });
